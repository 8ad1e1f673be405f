"""The active network, which is the same in every process.

The database has the active version, which costs one indexed query per analysis. Heads are cached in memory and share
one engine. A switch takes effect with the next photograph, while a running analysis finishes with its own network,
because callers hold version and analyser together.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.releases.release import release_from
from mlmodel.versions.models import LONG_FIELDS, Decision, DecisionKind, ModelVersion, ModelVersionStatus, StoredHead

# A head has some megabytes. Apart from the active version, the previous one is likely to be needed again.
_CACHED_HEADS = 3
_SHIPPED_REASON = gettext_noop("The network that came with this version of the software.")

_lock = threading.Lock()
_analysers: OrderedDict[str, Analyser] = OrderedDict()


@dataclass(frozen=True)
class Serving:
    """A version with its analyser."""

    version: ModelVersion
    analyser: Analyser


def now_serving() -> Serving:
    """Return the active version with its analyser. Callers must use the same one for a whole analysis.

    Raises:
        ReleaseError: a file of the shipped network is missing or was altered.
    """
    version = active_version()
    return Serving(version=version, analyser=analyser_of(version))


def active_analyser() -> Analyser:
    """Return the analyser of the active version without registering the shipped one in the database."""
    version = _active_row()
    return get_analyser() if version is None else analyser_of(version)


def active_version() -> ModelVersion:
    """Return the active version. The shipped network is registered at the first call."""
    return _active_row() or _ship(get_analyser())


def _active_row() -> ModelVersion | None:
    """Return the active version, or None if this installation does not have its files."""
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
        while len(_analysers) > _CACHED_HEADS:
            _analysers.popitem(last=False)
    return analyser


def can_serve(version: ModelVersion) -> bool:
    """Whether this installation has what the version needs: the shipped files, or their backbone."""
    # A head runs only on its own backbone, and a shipped version only with its own files.
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
        # Another process was first: the constraint allows only one active version, which is this one.
        return ModelVersion.objects.get(sha256=shipped.sha256, status=ModelVersionStatus.ACTIVE)
