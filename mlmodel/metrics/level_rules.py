"""The thresholds of the levels that a clinic may choose, by the release's own rules with other shares."""

from collections.abc import Mapping

from mlmodel.metrics.calibration_rules import LEAST_OF_A_SOURCE, tier_thresholds
from mlmodel.metrics.performance import Answers, by_lesion, sensitivity_at, specificity_at
from mlmodel.network.threshold_levels import Level, ThresholdLevels, UrgentLevel, WatchLevel
from mlmodel.network.tiers import OperatingPoint, OperatingPoints, stored_threshold

# Of what is malignant, and of melanomas, at the lower end of the interval; the release itself promises 0.93 and 0.90.
_WATCH = {WatchLevel.MORE: (0.95, 0.93), WatchLevel.MOST: (0.97, 0.95)}
# Benign lesions that are not called urgent; the release itself spares 0.90.
_URGENT = {UrgentLevel.FEWER: 0.95, UrgentLevel.MORE: 0.80}
# Of fewer lesions no share is stated.
_LEAST = 10


def threshold_levels(
    *,
    released: OperatingPoints,
    chosen: Mapping[str, Answers],
    tested: Answers,
    tested_by_source: Mapping[str, Answers] | None = None,
) -> ThresholdLevels | None:
    """Return all levels of a network with what each costs; None where too little is known to state any.

    Args:
        released: its own two thresholds, with their costs.
        chosen: answers by source that the thresholds are taken from: those that chose the released ones.
        tested: answers to the photographs that the costs are stated of.
        tested_by_source: of each source's locked test.
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

    watch = {WatchLevel.RELEASED: as_released(released.watch)}
    ceiling = released.watch.threshold
    for name, (malignant, melanomas) in _WATCH.items():
        # A level that asks for more never begins above one that asks for less.
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
    """Return what a threshold finds and spares where it does worst, as ``OperatingPoint`` has it.

    A source speaks of that of which it has enough lesions.

    Args:
        sources: answers by lesion to the locked test of each source; nothing is returned of a single one.
        threshold: on the malignant probability.
    """
    shares = {
        "least_sensitivity": (sensitivity_at(threshold), "is_malignant"),
        "least_melanoma_sensitivity": (sensitivity_at(threshold, melanoma_only=True), "is_melanoma"),
        "least_specificity": (specificity_at(threshold), "is_benign"),
    }
    found = {
        name: [of(each) for each in sources.values() if getattr(each, kind).sum() >= LEAST_OF_A_SOURCE]
        for name, (of, kind) in shares.items()
    }
    return {name: round(min(each), 4) for name, each in found.items() if each} if len(sources) > 1 else {}


def _by_source(sources: Mapping[str, Answers], threshold: float) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for name, answers in sources.items():
        shares = {
            "sensitivity": (sensitivity_at(threshold), answers.is_malignant),
            "melanoma_sensitivity": (sensitivity_at(threshold, melanoma_only=True), answers.is_melanoma),
            "specificity": (specificity_at(threshold), ~answers.is_malignant),
        }
        found[name] = {
            "lesions": len(answers.labels),
            **{share: round(of(answers), 4) if kind.sum() >= _LEAST else None for share, (of, kind) in shares.items()},
        }
    return found
