"""Rules for calibration and thresholds, shared by releases and by candidates retrained on their backbone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import Answers, by_lesion
from mlmodel.network.calibration import Calibration, fit_set_thresholds, fit_temperature
from mlmodel.network.head import Floats

# The shares that ``watch`` flags at least, as lower limits of the 95 % interval.
WATCH_SENSITIVITY, WATCH_MELANOMA_SENSITIVITY = 0.93, 0.90
URGENT_SPECIFICITY = 0.90
# A source with fewer lesions of a kind is considered only together with the others.
LEAST_OF_A_SOURCE = 50


def fit_calibration(
    logits: Floats, labels: npt.NDArray[np.int64], lesions: npt.NDArray[np.str_], *, class_mix: Floats
) -> Calibration:
    """Return the temperature and prediction sets, fitted with equal weight for every lesion.

    Args:
        logits: float32 (N, 7), of photographs that were not used to train the head.
        labels: int64 (N,), class indices.
        lesions: str (N,).
        class_mix: float32 (7,), of the training set.
    """
    temperature = fit_temperature(logits, labels, lesion_weights(lesions))
    return with_sets(Calibration(temperature, class_mix, np.zeros_like(class_mix)), logits, labels, lesions)


def with_sets(
    calibration: Calibration, logits: Floats, labels: npt.NDArray[np.int64], lesions: npt.NDArray[np.str_]
) -> Calibration:
    """Return the calibration with prediction sets fitted to the answers by lesion; arguments as above."""
    scores = calibration.equal_prior_scores(logits)
    answers = by_lesion(Answers(calibration.probabilities(logits), scores, labels, lesions))
    return replace(calibration, set_thresholds=fit_set_thresholds(answers.scores, answers.labels))


def sets_of_sources(set_thresholds: Floats, sources: Iterable[Answers]) -> Floats:
    """Return the thresholds of prediction sets, float32 (7,), lowered where other sources need larger sets.

    A source is considered for each class of which it has at least ``LEAST_OF_A_SOURCE`` lesions.

    Args:
        set_thresholds: float32 (7,), of the source that the head was calibrated on.
        sources: answers by lesion for each other source.
    """
    lowered = set_thresholds.copy()
    for answers in sources:
        exact = answers.exact()
        counts = np.bincount(exact.labels, minlength=len(lowered))
        is_enough = counts >= LEAST_OF_A_SOURCE
        if is_enough.any():
            own = fit_set_thresholds(exact.scores, exact.labels)
            lowered[is_enough] = np.minimum(lowered, own)[is_enough]
    return lowered


def tier_thresholds(
    by_source: Mapping[str, Answers],
    *,
    found: float = WATCH_SENSITIVITY,
    melanomas_found: float = WATCH_MELANOMA_SENSITIVITY,
    spared: float = URGENT_SPECIFICITY,
    at_each_source: bool = True,
) -> dict[str, float]:
    """Return the tiers' thresholds on the malignant probability, ``urgent`` first.

    ``watch`` is the highest threshold that meets its targets over all sources together and for each source with at
    least ``LEAST_OF_A_SOURCE`` such lesions: the lower limits of Wilson's intervals are at least ``found`` for the
    sensitivity for malignant and pre-malignant lesions, and ``melanomas_found`` for melanomas. ``urgent`` has the
    specificity ``spared``, with equal weight for every source.

    Args:
        by_source: answers for lesions, or for one photograph of each, not used for training or validation of the head.
        found: the target sensitivity of ``watch``.
        melanomas_found: its target sensitivity for melanoma.
        spared: the target specificity of ``urgent``.
        at_each_source: whether ``watch`` must meet its targets at each source too, not only over all together.
    """
    sources = list(by_source.values())
    malignant = [each.malignant_probability[each.is_malignant] for each in sources]
    melanomas = [each.malignant_probability[each.is_melanoma] for each in sources]
    watch = min(
        *_highest_thresholds(malignant, found, at_each=at_each_source),
        *_highest_thresholds(melanomas, melanomas_found, at_each=at_each_source),
    )
    benign = [
        np.sort(each.malignant_probability[~each.is_malignant]) for each in sources if not each.is_malignant.all()
    ]
    levels = np.unique(np.concatenate(benign))
    specificities = np.mean([np.searchsorted(each, levels) / len(each) for each in benign], axis=0)
    urgent = float(levels[np.searchsorted(specificities, spared).clip(max=len(levels) - 1)])
    return {"urgent": max(urgent, watch), "watch": watch}


def lesion_weights(lesions: npt.NDArray[np.str_]) -> Floats:
    """Return weights that count every lesion once, float32 (N,): 1 / the number of its photographs."""
    _, group = np.unique(lesions, return_inverse=True)
    return (1.0 / np.bincount(group)[group]).astype(np.float32)


def _highest_thresholds(positives: list[Floats], share: float, *, at_each: bool) -> Iterator[float]:
    """Yield the highest thresholds that flag ``share`` of the positives, over all sources and at each large source."""
    yield _highest_threshold(np.concatenate(positives), share)
    for probabilities in positives if at_each else []:
        if len(probabilities) >= LEAST_OF_A_SOURCE:
            yield _highest_threshold(probabilities, share)


def _highest_threshold(probabilities: Floats, share: float) -> float:
    """Return the highest threshold whose interval's lower limit is ``share``; if there are few, one that flags all."""
    count = len(probabilities)
    if not count:
        return 1.0
    missed = max((each for each in range(count) if wilson(count - each, count)[0] >= share), default=0)
    return float(np.sort(probabilities)[missed])
