"""Thresholds of the levels that a clinic can choose, by the release's rules with other targets."""

from collections.abc import Mapping

from mlmodel.metrics.calibration_rules import LEAST_OF_A_SOURCE, tier_thresholds
from mlmodel.metrics.performance import Answers, by_lesion, sensitivity_at, specificity_at
from mlmodel.network.threshold_levels import Level, ThresholdLevels, UrgentLevel, WatchLevel
from mlmodel.network.tiers import OperatingPoint, OperatingPoints, stored_threshold

# Lower limits of the sensitivity for malignant lesions and for melanomas; the release's own are 0.93 and 0.90.
_WATCH = {WatchLevel.MORE: (0.95, 0.93), WatchLevel.MOST: (0.97, 0.95)}
# Specificity of urgent; the release's own is 0.90.
_URGENT = {UrgentLevel.FEWER: 0.95, UrgentLevel.MORE: 0.80}
# With fewer lesions, no share is stated.
_LEAST = 10


def threshold_levels(
    *,
    released: OperatingPoints,
    chosen: Mapping[str, Answers],
    tested: Answers,
    tested_by_source: Mapping[str, Answers] | None = None,
) -> ThresholdLevels | None:
    """Return all levels of a network with their sensitivity and specificity, or None if there are too few lesions.

    Args:
        released: the released thresholds.
        chosen: the answers by source on which the released thresholds were chosen.
        tested: the answers on which sensitivity and specificity are measured.
        tested_by_source: the answers on each source's held-out test set.
    """
    if not (tested.is_melanoma.any() and not tested.is_malignant.all()):
        return None
    sources = {name: by_lesion(answers) for name, answers in (tested_by_source or {}).items()}

    def level(threshold: float) -> Level:
        threshold = stored_threshold(threshold)
        point = OperatingPoint(
            threshold=threshold,
            sensitivity=round(sensitivity_at(threshold)(tested), 4),
            melanoma_sensitivity=round(sensitivity_at(threshold, melanoma_only=True)(tested), 4),
            specificity=round(specificity_at(threshold)(tested), 4),
            **least_found(sources, threshold),
        )
        return Level(point, _by_source(sources, threshold))

    def as_released(point: OperatingPoint) -> Level:
        return Level(point, _by_source(sources, point.threshold))

    over_all = tier_thresholds(chosen, at_each_source=False)["watch"]
    watch = {
        WatchLevel.FEWER: level(max(over_all, released.watch.threshold)),
        WatchLevel.RELEASED: as_released(released.watch),
    }
    ceiling = released.watch.threshold
    for name, (malignant, melanomas) in _WATCH.items():
        # A higher level never has a higher threshold than a lower level.
        ceiling = min(ceiling, tier_thresholds(chosen, found=malignant, melanomas_found=melanomas)["watch"])
        watch[name] = level(ceiling)
    fewer, more = (tier_thresholds(chosen, spared=_URGENT[name])["urgent"] for name in _URGENT)
    urgent = {
        UrgentLevel.FEWER: level(max(fewer, released.urgent.threshold)),
        UrgentLevel.RELEASED: as_released(released.urgent),
        UrgentLevel.MORE: level(min(more, released.urgent.threshold)),
    }
    return ThresholdLevels(watch=watch, urgent=urgent)


def least_found(sources: Mapping[str, Answers], threshold: float) -> dict[str, float]:
    """Return the lowest sensitivities and specificity of a threshold in any source, as fields of ``OperatingPoint``.

    A source is considered for the kinds of which it has enough lesions.

    Args:
        sources: answers by lesion on the held-out test set of each source; the result for a single one is empty.
        threshold: on the malignant probability.
    """
    shares = {
        "least_sensitivity": (sensitivity_at(threshold), "is_malignant"),
        "least_melanoma_sensitivity": (sensitivity_at(threshold, melanoma_only=True), "is_melanoma"),
        "least_specificity": (specificity_at(threshold), "is_benign"),
    }
    values = {
        name: [metric(each) for each in sources.values() if getattr(each, kind).sum() >= LEAST_OF_A_SOURCE]
        for name, (metric, kind) in shares.items()
    }
    return {name: round(min(each), 4) for name, each in values.items() if each} if len(sources) > 1 else {}


def _by_source(sources: Mapping[str, Answers], threshold: float) -> dict[str, dict[str, float | None]]:
    result: dict[str, dict[str, float | None]] = {}
    for name, answers in sources.items():
        shares = {
            "sensitivity": (sensitivity_at(threshold), answers.is_malignant),
            "melanoma_sensitivity": (sensitivity_at(threshold, melanoma_only=True), answers.is_melanoma),
            "specificity": (specificity_at(threshold), ~answers.is_malignant),
        }
        result[name] = {
            "lesions": len(answers.labels),
            **{
                share: round(metric(answers), 4) if kind.sum() >= _LEAST else None
                for share, (metric, kind) in shares.items()
            },
        }
    return result
