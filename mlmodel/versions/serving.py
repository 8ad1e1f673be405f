"""Which network answers at this moment, in every process alike.

The database says which version is the active one; each question costs one indexed read. The heads that this process
has needed are kept in memory, all over one engine: a switch takes effect with the next photograph, while
an analysis that has started finishes with the network it started with: callers hold version and analyser together.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.releases.release import release_from
from mlmodel.versions.models import LONG_FIELDS, Decision, DecisionKind, ModelVersion, ModelVersionStatus, StoredHead

# A version is a head of some megabytes; beyond the active one, the one it replaced is likely to be asked for again.
_KEPT = 3
_SHIPPED_REASON = "The network that came with this version of the software."

_lock = threading.Lock()
_analysers: OrderedDict[str, Analyser] = OrderedDict()


@dataclass(frozen=True)
class Serving:
    """A version, and the analyser that is that version."""

    version: ModelVersion
    analyser: Analyser


def now_serving() -> Serving:
    """Return the version that answers now. Whoever analyses holds on to it from beginning to end.

    Raises:
        ReleaseError: a file of the shipped network is missing or was altered.
    """
    version = active_version()
    return Serving(version=version, analyser=analyser_of(version))


def active_analyser() -> Analyser:
    """Return the analyser of the version that answers now. Writes nothing: the shipped one may be unregistered yet."""
    version = _active_row()
    return get_analyser() if version is None else analyser_of(version)


def active_version() -> ModelVersion:
    """Return the active version. The shipped network is registered when it is first seen."""
    return _active_row() or _ship(get_analyser())


def _active_row() -> ModelVersion | None:
    """The active version, unless it is one that this installation has no files for (any more)."""
    version = ModelVersion.objects.defer(*LONG_FIELDS).filter(status=ModelVersionStatus.ACTIVE).first()
    return version if version is not None and can_serve(version) else None


def analyser_of(version: ModelVersion) -> Analyser:
    """Return the analyser of a version that is shipped or retrained on the shipped backbone."""
    shipped = get_analyser()
    if version.sha256 == shipped.sha256:
        return shipped
    with _lock:
        if version.sha256 in _analysers:
            _analysers.move_to_end(version.sha256)
            return _analysers[version.sha256]
    content = StoredHead.objects.values_list("content", flat=True).get(version=version)
    release = release_from(
        backbone=shipped.release.backbone,
        backbone_sha256=shipped.backbone_sha256,
        head=bytes(content),
        settings=version.settings,
        card=version.card,
        reference=shipped.release.reference,
    )
    analyser = Analyser(release, engine=shipped.engine)
    with _lock:
        _analysers[version.sha256] = analyser
        while len(_analysers) > _KEPT:
            _analysers.popitem(last=False)
    return analyser


def can_serve(version: ModelVersion) -> bool:
    """Whether this installation has what the version needs: the shipped files, or their backbone."""
    # A head never runs on another backbone than its own, and a shipped version only with its own files.
    shipped = get_analyser()
    if version.parent_id is None:
        return version.sha256 == shipped.sha256
    return version.backbone_sha256 == shipped.backbone_sha256


def _ship(shipped: Analyser) -> ModelVersion:
    try:
        with transaction.atomic():
            active = ModelVersion.objects.select_for_update().filter(status=ModelVersionStatus.ACTIVE)
            replaced = active.exclude(sha256=shipped.sha256).first()
            active.exclude(sha256=shipped.sha256).update(status=ModelVersionStatus.RETIRED)
            version, created = ModelVersion.objects.get_or_create(
                sha256=shipped.sha256,
                defaults={
                    "name": shipped.version,
                    "backbone_sha256": shipped.backbone_sha256,
                    "head_sha256": shipped.head_sha256,
                    "card": shipped.card,
                    "settings": shipped.release.settings,
                    "status": ModelVersionStatus.ACTIVE,
                },
            )
            if not created:
                version.status = ModelVersionStatus.ACTIVE
                version.save(update_fields=["status"])
            Decision.objects.create(version=version, replaced=replaced, kind=DecisionKind.SHIP, reason=_SHIPPED_REASON)
            return version
    except IntegrityError:
        # Another process was first: the constraint lets one version be active, and this is it.
        return ModelVersion.objects.get(sha256=shipped.sha256, status=ModelVersionStatus.ACTIVE)
