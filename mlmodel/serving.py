"""Which network answers at this moment, in every process alike.

The database says which version is the active one; each question costs one indexed read. The heads that this process
has needed are kept in memory, all over one engine, or one for each exit flow: a switch takes effect with the next
photograph, and what was begun is ended with the network it was begun with, since whoever asks holds version and
analyser as one.
"""

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial

from django.db import IntegrityError, transaction

from mlmodel.analysis import Analyser, get_analyser
from mlmodel.engine import Engine
from mlmodel.exit_flow import ExitFlowError
from mlmodel.models import (
    LONG_FIELDS,
    Decision,
    DecisionKind,
    ModelVersion,
    ModelVersionStatus,
    StoredExit,
    StoredHead,
)
from mlmodel.release import ReleaseError, release_from

logger = logging.getLogger(__name__)
# A version is a head of some megabytes; beyond the active one, the one it replaced is likely to be asked for again.
_KEPT = 3
# An exit flow's engine is the whole backbone once more.
_ENGINES_KEPT = 2
_SHIPPED_REASON = "The network that came with this version of the software."

_lock = threading.Lock()
_analysers: OrderedDict[str, Analyser] = OrderedDict()
_engine_lock = threading.Lock()
_engines: OrderedDict[str, Engine] = OrderedDict()
# When it was last found that an exit flow can be run, or that it cannot.
_runs: dict[str, tuple[bool, float]] = {}
# What could not be run may have been restored since.
_TRY_AGAIN_SECONDS = 60.0


@dataclass(frozen=True)
class Serving:
    """A version, and the analyser that is that version."""

    version: ModelVersion
    analyser: Analyser


def now_serving() -> Serving:
    """Return the version that answers now. Whoever analyses holds on to it from beginning to end.

    Raises:
        ReleaseError: a file of the shipped network is missing or was altered, or the version's exit flow is.
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
    """Return the analyser of a version that is shipped or retrained on the shipped backbone.

    Raises:
        ReleaseError: the version's exit flow is not the one that was kept.
    """
    shipped = get_analyser()
    if version.sha256 == shipped.sha256:
        return shipped
    with _lock:
        if version.sha256 in _analysers:
            _analysers.move_to_end(version.sha256)
            return _analysers[version.sha256]
    exit_flow = None if version.exit_id is None else _kept_exit_flow(version.exit_id)
    content = StoredHead.objects.values_list("content", flat=True).get(version=version)
    release = release_from(
        backbone=shipped.release.backbone,
        backbone_sha256=shipped.backbone_sha256,
        head=bytes(content),
        settings=version.settings,
        card=version.card,
        reference=shipped.release.reference,
        exit_flow=exit_flow,
    )
    if exit_flow is None:
        analyser = Analyser(release, engine=lambda: shipped.engine)
    else:
        analyser = Analyser(release, engine=partial(_engine_over, release.exit_sha256, exit_flow))
    with _lock:
        _analysers[version.sha256] = analyser
        while len(_analysers) > _KEPT:
            _analysers.popitem(last=False)
    return analyser


def _kept_exit_flow(exit_sha256: str) -> bytes:
    content = bytes(StoredExit.objects.get(pk=exit_sha256).content)
    if hashlib.sha256(content).hexdigest() != exit_sha256:
        raise ReleaseError("The exit flow of a retrained version was altered. Restore the database's backup.")
    return content


def _engine_over(exit_sha256: str, exit_flow: bytes) -> Engine:
    """Return the engine that runs an exit flow. It takes a second: whoever asks meanwhile waits for it."""
    with _engine_lock:
        if exit_sha256 not in _engines:
            try:
                _engines[exit_sha256] = Engine(get_analyser().release.backbone, exit_flow=exit_flow)
            except ExitFlowError as error:
                raise ReleaseError(f"The exit flow of a retrained version cannot be run: {error}.") from error
            while len(_engines) > _ENGINES_KEPT:
                _engines.popitem(last=False)
        _engines.move_to_end(exit_sha256)
        return _engines[exit_sha256]


def _can_run(exit_sha256: str) -> bool:
    """Whether an exit flow can be run here: tried once, and again from time to time if it could not."""
    can, tried_at = _runs.get(exit_sha256, (False, -_TRY_AGAIN_SECONDS))
    if can or time.monotonic() - tried_at < _TRY_AGAIN_SECONDS:
        return can
    try:
        _engine_over(exit_sha256, _kept_exit_flow(exit_sha256))
        can = True
    except ReleaseError:
        logger.exception("The exit flow %s cannot be run; versions over it answer nobody.", exit_sha256[:12])
    _runs[exit_sha256] = can, time.monotonic()
    return can


def can_serve(version: ModelVersion) -> bool:
    """Whether this installation has what the version needs: the shipped files, or their backbone and its exit flow."""
    # A head never runs on another backbone than its own, and a shipped version only with its own files.
    shipped = get_analyser()
    if version.parent_id is None:
        return version.sha256 == shipped.sha256
    if version.backbone_sha256 != shipped.backbone_sha256:
        return False
    return version.exit_id is None or _can_run(version.exit_id)


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
