"""The analyser that a clinic uses: as released, or with the thresholds and class mix that its dermatologists chose."""

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
_levels_by_release: dict[str, ThresholdLevels | None] = {}
_MOST_CACHED = 8


@dataclass(frozen=True)
class ServingHere:
    """The active version, its analyser with the clinic's settings, and those settings if they change anything."""

    version: ModelVersion
    analyser: Analyser
    settings: AnswerSettings | None


def serving_in(clinic_id: Any) -> ServingHere:
    """Return the active version as the clinic uses it; without a clinic, as released. Use one result per analysis.

    Raises:
        ReleaseError: as ``mlmodel.versions.serving.now_serving``.
    """
    serving = now_serving()
    analyser, settings = in_clinic(serving.analyser, clinic_id)
    return ServingHere(serving.version, analyser, settings)


def in_clinic(analyser: Analyser, clinic_id: Any) -> tuple[Analyser, AnswerSettings | None]:
    """Return the analyser with the clinic's settings, and those settings if they change anything."""
    settings = newest_settings(clinic_id)
    adjusted = analyser if settings is None else _with_settings(settings, analyser)
    return adjusted, None if adjusted is analyser else settings


def for_clinics(analyser: Analyser) -> AnalyserIn:
    """Return ``in_clinic`` for many photographs: it queries each clinic's settings once."""

    @cache
    def analyser_in(clinic_id: Any) -> tuple[Analyser, AnswerSettings | None]:
        return in_clinic(analyser, clinic_id)

    return analyser_in


def newest_settings(clinic_id: Any) -> AnswerSettings | None:
    """Return the clinic's newest settings."""
    return AnswerSettings.objects.filter(clinic=clinic_id).first() if clinic_id else None


def as_read_then(prediction: Prediction, analyser: Analyser) -> Analyser:
    """Return ``analyser``, of the prediction's version, with the settings under which the prediction was made."""
    settings = prediction.answer_settings
    return analyser if settings is None else _with_settings(settings, analyser)


def levels_here(analyser: Analyser) -> ThresholdLevels | None:
    """Return the threshold levels to choose from; None if they are not known.

    Newer releases state them. For an older one they are computed on the base set, which takes some seconds, once per
    process.
    """
    if stated := ThresholdLevels.from_settings(analyser.release.settings):
        return stated
    with _lock:
        if analyser.sha256 not in _levels_by_release:
            if len(_levels_by_release) >= _MOST_CACHED:
                _levels_by_release.clear()
            _levels_by_release[analyser.sha256] = _on_the_base_set(analyser)
        return _levels_by_release[analyser.sha256]


def _with_settings(settings: AnswerSettings, analyser: Analyser) -> Analyser:
    """Return the analyser with the settings applied; ``analyser`` itself if they change nothing."""
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
