"""How answers are read in a clinic: as released, or as its dermatologists have chosen.

That is where the tiers begin, and to which class mix the percentages are true.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from diagnosis.images.models import AnswerSettings, Prediction
from mlmodel.network.analyser import Analyser
from mlmodel.network.calibration import in_order
from mlmodel.network.threshold_levels import ThresholdLevels, UrgentLevel, WatchLevel
from mlmodel.releases.release_files import ReleaseError
from mlmodel.retraining import Network, read_base_set
from mlmodel.retraining.base_set_levels import levels_of
from mlmodel.versions.models import ModelVersion
from mlmodel.versions.serving import now_serving

AnalyserIn = Callable[[Any], tuple[Analyser, AnswerSettings | None]]

_lock = Lock()
_found: dict[str, ThresholdLevels | None] = {}
_KEPT = 8


@dataclass(frozen=True)
class ServingHere:
    """The version that answers, its analyser as a clinic has it read, and what the clinic has chosen, if anything."""

    version: ModelVersion
    analyser: Analyser
    settings: AnswerSettings | None


def serving_in(clinic_id: Any) -> ServingHere:
    """Return what answers in a clinic now; without a clinic, as released. Hold on to it for the whole analysis.

    Raises:
        ReleaseError: as ``mlmodel.versions.serving.now_serving``.
    """
    serving = now_serving()
    analyser, settings = in_clinic(serving.analyser, clinic_id)
    return ServingHere(serving.version, analyser, settings)


def in_clinic(analyser: Analyser, clinic_id: Any) -> tuple[Analyser, AnswerSettings | None]:
    """Return an analyser as a clinic has it read, and what it has chosen, if that changes anything."""
    settings = newest_settings(clinic_id)
    read = analyser if settings is None else _read_by(settings, analyser)
    return read, None if read is analyser else settings


def for_clinics(analyser: Analyser) -> AnalyserIn:
    """Return ``in_clinic`` for many photographs, which asks for each clinic's settings once."""

    @cache
    def found(clinic_id: Any) -> tuple[Analyser, AnswerSettings | None]:
        return in_clinic(analyser, clinic_id)

    return found


def newest_settings(clinic_id: Any) -> AnswerSettings | None:
    """Return the clinic's newest settings."""
    return AnswerSettings.objects.filter(clinic=clinic_id).first() if clinic_id else None


def as_read_then(prediction: Prediction, analyser: Analyser) -> Analyser:
    """Return ``analyser``, which is of the prediction's version, as it was read when the prediction was made."""
    settings = prediction.answer_settings
    return analyser if settings is None else _read_by(settings, analyser)


def levels_here(analyser: Analyser) -> ThresholdLevels | None:
    """Return the levels to choose from; None where nothing states them.

    A release states them since it can. Of an older one they are found on the base set, which takes some seconds, once
    in each process.
    """
    if stated := ThresholdLevels.from_settings(analyser.release.settings):
        return stated
    with _lock:
        if analyser.sha256 not in _found:
            if len(_found) >= _KEPT:
                _found.clear()
            _found[analyser.sha256] = _on_the_base_set(analyser)
        return _found[analyser.sha256]


def _read_by(settings: AnswerSettings, analyser: Analyser) -> Analyser:
    """Return ``analyser`` itself where the settings change nothing of it."""
    levels = levels_here(analyser) if settings.moves_thresholds else None
    if levels is None and not settings.class_mix:
        return analyser
    points = levels.points(WatchLevel(settings.watch), UrgentLevel(settings.urgent)) if levels else None
    own_mix = in_order(settings.class_mix) if settings.class_mix else None
    return analyser.at(points or analyser.released_points, own_mix)


def _on_the_base_set(analyser: Analyser) -> ThresholdLevels | None:
    try:
        base = read_base_set()
    except ReleaseError:
        return None
    if base.backbone_sha256 != analyser.backbone_sha256:
        return None
    network = Network(analyser.head, analyser.calibration, analyser.released_points)
    return levels_of(network, base, are_costs_stated=True)
