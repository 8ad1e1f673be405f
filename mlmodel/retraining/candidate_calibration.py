"""How a new head's answers are read: fitted on cases that it was never trained on."""

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
    """Return the network that a head makes, calibrated with every lesion weighing the same.

    Temperature, prediction sets and operating points follow the release's own rules. ``watch`` is lower where that is
    needed to find as many of the melanomas, and of all that is malignant, as the network before does: a new head must
    not pay with those. Nor do its sets hold a class less often, or more benign lesions become urgent. A release's
    thresholds may be lower than these cases alone ask for, for the sake of other clinics.

    Args:
        head: as it will be loaded, in half precision.
        class_mix: float32 (7,), of the training set.
        cases: that did not train the head.
        before: the network whose place this one may take.
    """
    logits = logits_of(head, cases)
    calibration = fit_calibration(logits, cases.labels, cases.lesions, class_mix=class_mix)
    answers = by_lesion(
        Answers(calibration.probabilities(logits), calibration.equal_prior_scores(logits), cases.labels, cases.lesions)
    )
    if before is None:
        begins = tier_thresholds({"": answers})
        urgent, watch = begins["urgent"], begins["watch"]
    else:
        old = before.answers_by_lesion(cases)
        calibration = replace(calibration, set_thresholds=_sets_as_before(answers, old, calibration, before))
        begins = tier_thresholds({"": answers}, spared=_spared_before(old, before))
        urgent, watch = begins["urgent"], min(begins["watch"], _finds_as_many(answers, old, before))
    return Network(head, calibration, OperatingPoints(urgent=_point(urgent, answers), watch=_point(watch, answers)))


def _finds_as_many(answers: Answers, old: Answers, before: Network) -> float:
    """Return the threshold from which on ``answers`` flag as many as ``before`` does as *watch*, of either kind."""
    threshold = before.operating_points.watch.threshold
    highest = 1.0
    for is_asked in (answers.is_melanoma, answers.is_malignant):
        if is_asked.any():
            found = float((old.malignant_probability[is_asked] >= threshold).mean())
            mass = answers.malignant_probability[is_asked]
            highest = min(highest, float(np.quantile(mass, 1 - found, method="lower")))
    return highest


def _spared_before(old: Answers, before: Network) -> float:
    """Return the share of benign lesions that ``before`` does not call urgent; the release's rule without any."""
    benign = old.malignant_probability[old.is_benign]
    if not len(benign):
        return URGENT_SPECIFICITY
    return float((benign < before.operating_points.urgent.threshold).mean())


def _sets_as_before(answers: Answers, old: Answers, calibration: Calibration, before: Network) -> Floats:
    """Return thresholds of prediction sets that hold each class as often as those of ``before`` do, or more often."""
    lowered = calibration.set_thresholds.copy()
    for index in np.unique(answers.labels):
        rows = answers.labels == index
        held = float((old.scores[rows, index] >= before.calibration.set_thresholds[index]).mean())
        own = np.quantile(answers.scores[rows, index], 1 - held, method="lower")
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
