"""How a new head's answers are read: fitted on cases that it was never trained on."""

import numpy as np

from mlmodel.calibration import Calibration, fit_set_thresholds, fit_temperature
from mlmodel.head import Floats, Head
from mlmodel.retraining.base_set import Cases
from mlmodel.retraining.network import Network
from mlmodel.tiers import OperatingPoint, OperatingPoints
from mlmodel.training.evaluate import Answers, by_lesion, sensitivity_at, specificity_at

WATCH_SENSITIVITY = 0.95
URGENT_SPECIFICITY = 0.90


def calibrated(head: Head, *, class_mix: Floats, cases: Cases, before: Network | None = None) -> Network:
    """Return the network that a head makes, calibrated with every lesion weighing the same.

    Temperature, prediction sets and operating points follow the release's own rules: ``watch`` where 95 of 100
    malignant lesions are flagged, ``urgent`` where 90 of 100 benign ones are left alone. ``watch`` is lower where that
    is needed to find as many of the melanomas as the network before does: a new head must not pay with those.

    Args:
        head: as it will be loaded, in half precision.
        class_mix: float32 (7,), of the training set.
        cases: that did not train the head.
        before: the network whose place this one may take.
    """
    logits = head.logits(cases.features.astype(np.float32))
    temperature = fit_temperature(logits, cases.labels, lesion_weights(cases))
    unfitted = Calibration(temperature, class_mix, np.zeros_like(class_mix))
    answers = by_lesion(
        Answers(unfitted.probabilities(logits), unfitted.equal_prior_scores(logits), cases.labels, cases.lesions)
    )
    thresholds = fit_set_thresholds(answers.scores, answers.labels)
    found = 0.0
    if before is not None:
        found = sensitivity_at(before.operating_points.watch.threshold, melanoma_only=True)(
            before.answers_by_lesion(cases)
        )
    return Network(head, Calibration(temperature, class_mix, thresholds), _operating_points(answers, found))


def lesion_weights(cases: Cases) -> Floats:
    """Return 1 / photographs of the lesion, float32 (N,): however often it was photographed, it counts once."""
    _, group = np.unique(cases.lesions, return_inverse=True)
    return (1.0 / np.bincount(group)[group]).astype(np.float32)


def _operating_points(answers: Answers, melanomas_found: float) -> OperatingPoints:
    mass, is_malignant = answers.malignant_probability, answers.is_malignant
    watch = float(np.quantile(mass[is_malignant], 1 - WATCH_SENSITIVITY, method="lower"))
    if melanomas_found > 0:
        watch = min(watch, float(np.quantile(mass[answers.is_melanoma], 1 - melanomas_found, method="lower")))
    urgent = float(np.quantile(mass[~is_malignant], URGENT_SPECIFICITY, method="higher"))
    return OperatingPoints(urgent=_point(max(urgent, watch), answers), watch=_point(watch, answers))


def _point(threshold: float, answers: Answers) -> OperatingPoint:
    return OperatingPoint(
        threshold=threshold,
        sensitivity=sensitivity_at(threshold)(answers),
        melanoma_sensitivity=sensitivity_at(threshold, melanoma_only=True)(answers),
        specificity=specificity_at(threshold)(answers),
    )
