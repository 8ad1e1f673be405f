"""By which rules a head's answers are read: the same for a release and for what is retrained on its backbone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import Answers, by_lesion
from mlmodel.network.calibration import Calibration, fit_set_thresholds, fit_temperature
from mlmodel.network.head import Floats

# ``watch`` flags at least so many, at the lower end of the 95 % interval.
WATCH_SENSITIVITY, WATCH_MELANOMA_SENSITIVITY = 0.93, 0.90
URGENT_SPECIFICITY = 0.90
# A source with fewer lesions of a kind speaks only together with the others.
LEAST_OF_A_SOURCE = 50


def fit_calibration(
    logits: Floats, labels: npt.NDArray[np.int64], lesions: npt.NDArray[np.str_], *, class_mix: Floats
) -> Calibration:
    """Return temperature and prediction sets, fitted with every lesion weighing the same.

    Args:
        logits: float32 (N, 7), of photographs that the head was never trained on.
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
    found = by_lesion(Answers(calibration.probabilities(logits), scores, labels, lesions))
    return replace(calibration, set_thresholds=fit_set_thresholds(found.scores, found.labels))


def sets_of_sources(set_thresholds: Floats, sources: Iterable[Answers]) -> Floats:
    """Return the thresholds of prediction sets lowered as far as the sets of other sources need it, float32 (7,).

    A source has a say in each class of which it has ``LEAST_OF_A_SOURCE`` lesions.

    Args:
        set_thresholds: float32 (7,), of the source that the head was calibrated on.
        sources: answers by lesion, of each other source.
    """
    lowered = set_thresholds.copy()
    for answers in sources:
        exact = answers.exact()
        counts = np.bincount(exact.labels, minlength=len(lowered))
        speaks = counts >= LEAST_OF_A_SOURCE
        if speaks.any():
            own = fit_set_thresholds(exact.scores, exact.labels)
            lowered[speaks] = np.minimum(lowered, own)[speaks]
    return lowered


def tier_thresholds(
    by_source: Mapping[str, Answers],
    *,
    found: float = WATCH_SENSITIVITY,
    melanomas_found: float = WATCH_MELANOMA_SENSITIVITY,
    spared: float = URGENT_SPECIFICITY,
) -> dict[str, float]:
    """Return where the tiers begin on the malignant probability, ``urgent`` first.

    ``watch`` is the highest threshold that keeps its word everywhere: over all sources together and at each source
    with ``LEAST_OF_A_SOURCE`` such lesions, it flags the share ``found`` of what is malignant or pre-malignant and
    ``melanomas_found`` of melanomas, as the lower end of Wilson's interval has it. ``urgent`` leaves the share
    ``spared`` of benign lesions alone, every source counting the same.

    Args:
        by_source: answers to lesions, or to one photograph of each, that neither trained nor chose the head.
        found: see above, like those that follow.
        melanomas_found: a share.
        spared: a share.
    """
    sources = list(by_source.values())
    watch = min(
        *_highest_thresholds([(each.malignant_probability, each.is_malignant) for each in sources], found),
        *_highest_thresholds([(each.malignant_probability, each.is_melanoma) for each in sources], melanomas_found),
    )
    benign = [
        np.sort(each.malignant_probability[~each.is_malignant]) for each in sources if not each.is_malignant.all()
    ]
    levels = np.unique(np.concatenate(benign))
    left_alone = np.mean([np.searchsorted(each, levels) / len(each) for each in benign], axis=0)
    urgent = float(levels[np.searchsorted(left_alone, spared).clip(max=len(levels) - 1)])
    return {"urgent": max(urgent, watch), "watch": watch}


def lesion_weights(lesions: npt.NDArray[np.str_]) -> Floats:
    """Return 1 / photographs of the lesion, float32 (N,): however often it was photographed, it counts once."""
    _, group = np.unique(lesions, return_inverse=True)
    return (1.0 / np.bincount(group)[group]).astype(np.float32)


def _highest_thresholds(sources: list[tuple[Floats, npt.NDArray[np.bool_]]], share: float) -> Iterator[float]:
    """Yield the highest threshold that flags ``share`` of what is asked for: of all together, of each large source."""
    own = [mass[is_asked] for mass, is_asked in sources]
    yield _highest_threshold(np.concatenate(own), share)
    for masses in own:
        if len(masses) >= LEAST_OF_A_SOURCE:
            yield _highest_threshold(masses, share)


def _highest_threshold(masses: Floats, share: float) -> float:
    """Return the highest threshold that flags ``share`` at the interval's lower end; of few, one that flags all."""
    count = len(masses)
    if not count:
        return 1.0
    missed = max((each for each in range(count) if wilson(count - each, count)[0] >= share), default=0)
    return float(np.sort(masses)[missed])
