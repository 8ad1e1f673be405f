"""By which rules a head's answers are read: the same for a release and for what is retrained on its backbone."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mlmodel.calibration import Calibration, fit_set_thresholds, fit_temperature
from mlmodel.head import Floats
from mlmodel.training.evaluate import Answers, by_lesion

WATCH_SENSITIVITY = 0.95
URGENT_SPECIFICITY = 0.90


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


def tier_thresholds(answers: Answers) -> dict[str, float]:
    """Return where the tiers begin on the malignant probability, ``urgent`` first.

    ``watch`` flags 95 of 100 malignant and pre-malignant, ``urgent`` leaves 90 of 100 benign ones alone.
    """
    mass, is_malignant = answers.malignant_probability, answers.is_malignant
    watch = float(np.quantile(mass[is_malignant], 1 - WATCH_SENSITIVITY, method="lower"))
    urgent = float(np.quantile(mass[~is_malignant], URGENT_SPECIFICITY, method="higher"))
    return {"urgent": max(urgent, watch), "watch": watch}


def lesion_weights(lesions: npt.NDArray[np.str_]) -> Floats:
    """Return 1 / photographs of the lesion, float32 (N,): however often it was photographed, it counts once."""
    _, group = np.unique(lesions, return_inverse=True)
    return (1.0 / np.bincount(group)[group]).astype(np.float32)
