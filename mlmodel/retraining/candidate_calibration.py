"""Calibration of a new head, on cases that were not used for its training."""

from dataclasses import replace

import numpy as np

from mlmodel.metrics.calibration_rules import URGENT_SPECIFICITY, fit_calibration, tier_thresholds
from mlmodel.metrics.performance import Answers, by_lesion, sensitivity_at, specificity_at
from mlmodel.network.calibration import Calibration
from mlmodel.network.head import Floats, Head
from mlmodel.network.tiers import OperatingPoint, OperatingPoints, stored_threshold
from mlmodel.retraining.base_set import Cases
from mlmodel.retraining.candidate_network import Network, logits_of


def calibrated(head: Head, *, class_mix: Floats, cases: Cases, before: Network | None = None) -> Network:
    """Return the calibrated network of a head, with equal weight for every lesion.

    Temperature, prediction sets and operating points follow the release's rules. ``watch`` is lowered where needed for
    at least the previous network's sensitivity for melanomas and for malignant lesions, which a new head must not
    lose. Its prediction sets also have at least the previous coverage of each class, and no more benign lesions become
    urgent. A release's thresholds may be lower than these cases alone require, because of other clinics.

    Args:
        head: the head in half precision, as it will be loaded.
        class_mix: float32 (7,), of the training set.
        cases: cases that were not used to train the head.
        before: the network that this one may replace.
    """
    logits = logits_of(head, cases)
    calibration = fit_calibration(logits, cases.labels, cases.lesions, class_mix=class_mix)
    answers = by_lesion(
        Answers(calibration.probabilities(logits), calibration.equal_prior_scores(logits), cases.labels, cases.lesions)
    )
    if before is None:
        thresholds = tier_thresholds({"": answers})
        urgent, watch = thresholds["urgent"], thresholds["watch"]
    else:
        old = before.answers_by_lesion(cases)
        calibration = replace(
            calibration, set_thresholds=_set_thresholds_with_coverage_of(answers, old, calibration, before)
        )
        thresholds = tier_thresholds({"": answers}, spared=_urgent_specificity_of(old, before))
        urgent, watch = (
            thresholds["urgent"],
            min(thresholds["watch"], _threshold_with_sensitivity_of(answers, old, before)),
        )
    return Network(head, calibration, OperatingPoints(urgent=_point(urgent, answers), watch=_point(watch, answers)))


def _threshold_with_sensitivity_of(answers: Answers, old: Answers, before: Network) -> float:
    """Return the highest threshold with at least the *watch* sensitivities of ``before``, melanoma included."""
    threshold = before.operating_points.watch.threshold
    highest = 1.0
    for is_positive in (answers.is_melanoma, answers.is_malignant):
        if is_positive.any():
            sensitivity = float((old.malignant_probability[is_positive] >= threshold).mean())
            probabilities = answers.malignant_probability[is_positive]
            highest = min(highest, float(np.quantile(probabilities, 1 - sensitivity, method="lower")))
    return highest


def _urgent_specificity_of(old: Answers, before: Network) -> float:
    """Return the specificity of ``before`` for urgent, or the release's target if there are no benign lesions."""
    benign = old.malignant_probability[old.is_benign]
    if not len(benign):
        return URGENT_SPECIFICITY
    return float((benign < before.operating_points.urgent.threshold).mean())


def _set_thresholds_with_coverage_of(
    answers: Answers, old: Answers, calibration: Calibration, before: Network
) -> Floats:
    """Return thresholds of prediction sets with at least the coverage of each class that ``before`` has."""
    lowered = calibration.set_thresholds.copy()
    for index in np.unique(answers.labels):
        rows = answers.labels == index
        coverage = float((old.scores[rows, index] >= before.calibration.set_thresholds[index]).mean())
        own = np.quantile(answers.scores[rows, index], 1 - coverage, method="lower")
        lowered[index] = min(lowered[index], own)
    return lowered


def _point(threshold: float, answers: Answers) -> OperatingPoint:
    threshold = stored_threshold(threshold)
    return OperatingPoint(
        threshold=threshold,
        sensitivity=sensitivity_at(threshold)(answers),
        melanoma_sensitivity=sensitivity_at(threshold, melanoma_only=True)(answers),
        specificity=specificity_at(threshold)(answers),
    )
