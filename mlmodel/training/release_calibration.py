"""Calibration of a release on the calibration folds: temperature, class mix, prediction sets and operating points."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS, Dataset
from mlmodel.evaluation.by_source import answers_by_source
from mlmodel.metrics import performance
from mlmodel.metrics.calibration_rules import fit_calibration, sets_of_sources, tier_thresholds, with_sets
from mlmodel.network.calibration import Calibration, as_settings, fit_temperature
from mlmodel.network.head import Head
from mlmodel.network.tiers import stored_threshold
from mlmodel.releases.sources import HAM10000
from mlmodel.training.head_fitting import class_mix


@dataclass(frozen=True)
class Calibrated:
    """The calibration and thresholds of a head.

    Attributes:
        calibration: temperature, class mix and thresholds of the prediction set.
        thresholds: on the malignant probability, by tier, ``urgent`` first.
        chosen: the answers on which the thresholds were chosen, by source.
    """

    calibration: Calibration
    thresholds: dict[str, float]
    chosen: Mapping[str, performance.Answers]


def calibrate(
    head: Head,
    dataset: Dataset,
    features: npt.NDArray[np.float16],
    elsewhere: tuple[Dataset, npt.NDArray[np.float16]] | None = None,
) -> Calibrated:
    """Return the calibration of a head on the calibration folds, with equal weight for every lesion.

    Temperature and class mix are HAM10000's. Prediction sets and thresholds meet their targets for each source with
    enough lesions.

    Args:
        head: the head as it will be loaded.
        dataset: HAM10000 with its folds.
        features: float16 (N, F), of all its photographs.
        elsewhere: photographs of other sources with their features; their calibration folds are used.
    """
    mix = class_mix(dataset.labels[dataset.rows(TRAIN_FOLDS)])
    chosen = dataset.rows(CALIBRATION_FOLDS)
    logits, labels = head.logits(features[chosen].astype(np.float32)), dataset.labels[chosen]
    calibration = fit_calibration(logits, labels, dataset.lesions[chosen], class_mix=mix)
    # Cameras produce sharp photographs, and soft copies have different scores, so thresholds are chosen on sharp ones.
    is_sharp = dataset.copies[chosen] == "sharp"
    sharp = performance.Answers(
        probabilities=calibration.probabilities(logits[is_sharp]),
        scores=calibration.equal_prior_scores(logits[is_sharp]),
        labels=labels[is_sharp],
        lesions=dataset.lesions[chosen][is_sharp],
    )
    if elsewhere is None:
        return Calibrated(calibration, _stored(tier_thresholds({HAM10000: sharp})), {HAM10000: sharp})
    others, other_features = elsewhere
    rows = others.rows(CALIBRATION_FOLDS)
    answers = answers_by_source(others.take(rows), head.logits(other_features[rows].astype(np.float32)), calibration)
    by_lesion = {name: performance.by_lesion(each) for name, each in answers.items()}
    sets = sets_of_sources(calibration.set_thresholds, by_lesion.values())
    by_source = {HAM10000: sharp, **by_lesion}
    return Calibrated(replace(calibration, set_thresholds=sets), _stored(tier_thresholds(by_source)), by_source)


def _stored(thresholds: Mapping[str, float]) -> dict[str, float]:
    return {tier: stored_threshold(threshold) for tier, threshold in thresholds.items()}


def calibrate_smartphone(
    head: Head, calibration: Calibration, labels: npt.NDArray[np.int64], features: npt.NDArray[np.float16]
) -> dict[str, Any]:
    """Return the calibration and performance for smartphone photographs, which were not used for training.

    Temperature and prediction sets are fitted to these photographs; the temperature is never lower than for
    dermatoscopic photographs. The results are for few photographs and slightly too good, since they include the fit.

    Args:
        head: the head as it will be loaded.
        calibration: the calibration for dermatoscopic photographs.
        labels: int64 (N,), class indices, below 0 for a diagnosis that is none of the seven.
        features: float16 (N, F).
    """
    has_class = labels >= 0
    logits, labels = head.logits(features[has_class].astype(np.float32)), labels[has_class]
    lesions = np.arange(len(labels)).astype(str)
    temperature = max(fit_temperature(logits, labels, np.ones_like(logits[:, 0])), calibration.temperature)
    # The same coverage needs larger sets here.
    own = with_sets(replace(calibration, temperature=temperature), logits, labels, lesions)
    answers = performance.Answers(
        probabilities=own.probabilities(logits),
        scores=own.equal_prior_scores(logits),
        labels=labels,
        lesions=lesions,
    )
    return {
        "temperature": round(own.temperature, 6),
        "set_thresholds": as_settings(own.set_thresholds),
        "photographs": len(labels),
        "accuracy": round(performance.accuracy(answers), 4),
        "balanced_accuracy": round(performance.balanced_accuracy(answers), 4),
        "malignant_auc": round(performance.malignant_auc(answers), 4),
    }
