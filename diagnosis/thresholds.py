"""Where the tiers begin in a clinic: as released, or at the levels that its dermatologists have chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from diagnosis.models import Prediction, ThresholdChoice
from mlmodel.analysis import Analyser
from mlmodel.models import ModelVersion
from mlmodel.release import ReleaseError
from mlmodel.retraining import Network, read_base_set
from mlmodel.retraining.levels import levels_of
from mlmodel.serving import now_serving
from mlmodel.threshold_levels import ThresholdLevels, UrgentLevel, WatchLevel
from mlmodel.tiers import OperatingPoints

AnalyserIn = Callable[[Any], tuple[Analyser, ThresholdChoice | None]]

_lock = Lock()
_found: dict[str, ThresholdLevels | None] = {}
_KEPT = 8


@dataclass(frozen=True)
class ServingHere:
    """The version that answers, its analyser with the thresholds of a clinic, and the choice that moved them."""

    version: ModelVersion
    analyser: Analyser
    choice: ThresholdChoice | None


def serving_in(clinic_id: Any) -> ServingHere:
    """Return what answers in a clinic now, None for nobody's. Whoever analyses holds on to it from begin to end.

    Raises:
        ReleaseError: as ``mlmodel.serving.now_serving``.
    """
    serving = now_serving()
    analyser, choice = in_clinic(serving.analyser, clinic_id)
    return ServingHere(serving.version, analyser, choice)


def in_clinic(analyser: Analyser, clinic_id: Any) -> tuple[Analyser, ThresholdChoice | None]:
    """Return an analyser with the thresholds of a clinic, and the choice that moved them, if any did."""
    choice = newest_choice(clinic_id)
    if choice is None or not choice.moves_something:
        return analyser, None
    points = _points(choice, analyser)
    return (analyser, None) if points is None else (analyser.at(points), choice)


def for_clinics(analyser: Analyser) -> AnalyserIn:
    """Return ``in_clinic`` for many photographs, which asks for each clinic's choice once."""

    @cache
    def found(clinic_id: Any) -> tuple[Analyser, ThresholdChoice | None]:
        return in_clinic(analyser, clinic_id)

    return found


def newest_choice(clinic_id: Any) -> ThresholdChoice | None:
    """Return what the clinic has decided last."""
    return ThresholdChoice.objects.filter(clinic=clinic_id).first() if clinic_id else None


def points_of(prediction: Prediction, analyser: Analyser) -> OperatingPoints:
    """Return the thresholds by which a prediction got its tier; ``analyser`` is of its version."""
    if prediction.thresholds is None:
        return analyser.operating_points
    return _points(prediction.thresholds, analyser) or analyser.operating_points


def levels_here(analyser: Analyser) -> ThresholdLevels | None:
    """Return the levels to choose from; None where nothing states them.

    A release states them since it can. Of an older one without an exit flow of its own they are found on the base set,
    which takes some seconds once in each process.
    """
    if (stated := ThresholdLevels.from_settings(analyser.release.settings)) or analyser.exit_sha256:
        return stated
    with _lock:
        if analyser.sha256 not in _found:
            if len(_found) >= _KEPT:
                _found.clear()
            _found[analyser.sha256] = _on_the_base_set(analyser)
        return _found[analyser.sha256]


def _points(choice: ThresholdChoice, analyser: Analyser) -> OperatingPoints | None:
    levels = levels_here(analyser)
    return levels.points(WatchLevel(choice.watch), UrgentLevel(choice.urgent)) if levels else None


def _on_the_base_set(analyser: Analyser) -> ThresholdLevels | None:
    try:
        base = read_base_set()
    except ReleaseError:
        return None
    if base.backbone_sha256 != analyser.backbone_sha256:
        return None
    network = Network(analyser.head, analyser.calibration, analyser.released_points)
    return levels_of(network, base, are_costs_stated=True)
