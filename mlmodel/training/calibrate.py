"""What fold 7 decides: temperature, class mix, prediction sets and the two operating points."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.calibration import Calibration, by_code, fit_set_thresholds, fit_temperature
from mlmodel.head import Floats, Head
from mlmodel.training import evaluate
from mlmodel.training.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS, Dataset
from mlmodel.training.fit import class_mix

WATCH_SENSITIVITY = 0.95
URGENT_SPECIFICITY = 0.90


@dataclass(frozen=True)
class Calibrated:
    """How a head's answers are read, and where the tiers begin.

    Attributes:
        calibration: temperature, class mix, thresholds of the prediction set.
        thresholds: on the malignant probability, by tier, ``urgent`` first.
    """

    calibration: Calibration
    thresholds: dict[str, float]


def calibrate(head: Head, dataset: Dataset, features: npt.NDArray[np.float16]) -> Calibrated:
    """Calibrate a head on the calibration fold, every lesion weighing the same.

    Args:
        head: as it will be loaded.
        dataset: with its folds.
        features: float16 (N, F), of all its photographs.
    """
    mix = class_mix(dataset.labels[dataset.rows(TRAIN_FOLDS)])
    chosen = dataset.rows(CALIBRATION_FOLDS)
    logits, labels = head.logits(features[chosen].astype(np.float32)), dataset.labels[chosen]
    weights = _one_for_each_lesion(dataset.lesions[chosen])
    temperature = fit_temperature(logits, labels, weights)
    unfitted = Calibration(temperature, mix, np.zeros_like(mix))
    calibration = _with_sets(unfitted, logits, labels, dataset.lesions[chosen])
    probabilities = calibration.probabilities(logits)
    # A clinic's camera sends sharp photographs, and soft copies score differently: thresholds are for the former.
    is_sharp = dataset.sources[chosen] == "sharp"
    sharp = evaluate.Answers(
        probabilities=probabilities[is_sharp],
        scores=calibration.equal_prior_scores(logits[is_sharp]),
        labels=labels[is_sharp],
        lesions=dataset.lesions[chosen][is_sharp],
    )
    return Calibrated(calibration, _thresholds(sharp))


def calibrate_smartphone(
    head: Head, calibration: Calibration, labels: npt.NDArray[np.int64], features: npt.NDArray[np.float16]
) -> dict[str, Any]:
    """Return how much less can be said of smartphone photographs, which nothing was trained on.

    Temperature and prediction sets are fitted so that what is said is true there too; the temperature is never lower
    than for dermatoscopic photographs. The figures are of few photographs, and flattered by those fitted numbers.

    Args:
        head: as it will be loaded.
        calibration: for dermatoscopic photographs.
        labels: int64 (N,), class indices, below 0 for a diagnosis that is none of the seven.
        features: float16 (N, F).
    """
    known = labels >= 0
    logits, labels = head.logits(features[known].astype(np.float32)), labels[known]
    lesions = np.arange(len(labels)).astype(str)
    temperature = max(fit_temperature(logits, labels, np.ones_like(logits[:, 0])), calibration.temperature)
    # The same promise needs larger sets here.
    own = _with_sets(replace(calibration, temperature=temperature), logits, labels, lesions)
    answers = evaluate.Answers(
        probabilities=own.probabilities(logits),
        scores=own.equal_prior_scores(logits),
        labels=labels,
        lesions=lesions,
    )
    return {
        "temperature": round(own.temperature, 6),
        "set_thresholds": as_settings(own.set_thresholds),
        "photographs": len(labels),
        "accuracy": round(evaluate.accuracy(answers), 4),
        "balanced_accuracy": round(evaluate.balanced_accuracy(answers), 4),
        "malignant_auc": round(evaluate.malignant_auc(answers), 4),
    }


def as_settings(values: Floats) -> dict[str, float]:
    """Return float32 (7,) as a release's settings hold it."""
    return {code: round(value, 8) for code, value in by_code(values).items()}


def _with_sets(
    calibration: Calibration, logits: Floats, labels: npt.NDArray[np.int64], lesions: npt.NDArray[np.str_]
) -> Calibration:
    scores = calibration.equal_prior_scores(logits)
    found = evaluate.by_lesion(evaluate.Answers(calibration.probabilities(logits), scores, labels, lesions))
    return replace(calibration, set_thresholds=fit_set_thresholds(found.scores, found.labels))


def _thresholds(answers: evaluate.Answers) -> dict[str, float]:
    mass, is_malignant = answers.malignant_probability, answers.is_malignant
    watch = float(np.quantile(mass[is_malignant], 1 - WATCH_SENSITIVITY, method="lower"))
    urgent = float(np.quantile(mass[~is_malignant], URGENT_SPECIFICITY, method="higher"))
    return {"urgent": max(urgent, watch), "watch": watch}


def _one_for_each_lesion(lesions: npt.NDArray[np.str_]) -> Floats:
    _, group = np.unique(lesions, return_inverse=True)
    return (1.0 / np.bincount(group)[group]).astype(np.float32)
