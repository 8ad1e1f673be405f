"""How a new head's answers are read: fitted on cases that it was never trained on."""

import numpy as np

from mlmodel.head import Floats, Head
from mlmodel.retraining.base_set import Cases
from mlmodel.retraining.network import Network, logits_of
from mlmodel.tiers import OperatingPoint, OperatingPoints
from mlmodel.training.calibration_rules import fit_calibration, tier_thresholds
from mlmodel.training.evaluate import Answers, by_lesion, sensitivity_at, specificity_at


def calibrated(head: Head, *, class_mix: Floats, cases: Cases, before: Network | None = None) -> Network:
    """Return the network that a head makes, calibrated with every lesion weighing the same.

    Temperature, prediction sets and operating points follow the release's own rules. ``watch`` is lower where that is
    needed to find as many of the melanomas, and of all that is malignant, as the network before does: a new head must
    not pay with those. A release's threshold may be lower than these cases alone ask for, for the sake of other
    clinics.

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
    begins = tier_thresholds({"": answers})
    watch = begins["watch"] if before is None else min(begins["watch"], _finds_as_many(answers, before, cases))
    return Network(
        head, calibration, OperatingPoints(urgent=_point(begins["urgent"], answers), watch=_point(watch, answers))
    )


def _finds_as_many(answers: Answers, before: Network, cases: Cases) -> float:
    """Return the threshold from which on ``answers`` flag what ``before`` flags as *watch*, of either kind."""
    threshold, old = before.operating_points.watch.threshold, before.answers_by_lesion(cases)
    highest = 1.0
    for is_asked in (answers.is_melanoma, answers.is_malignant):
        if is_asked.any():
            found = float((old.malignant_probability[is_asked] >= threshold).mean())
            mass = answers.malignant_probability[is_asked]
            highest = min(highest, float(np.quantile(mass, 1 - found, method="lower")))
    return highest


def _point(threshold: float, answers: Answers) -> OperatingPoint:
    return OperatingPoint(
        threshold=threshold,
        sensitivity=sensitivity_at(threshold)(answers),
        melanoma_sensitivity=sensitivity_at(threshold, melanoma_only=True)(answers),
        specificity=specificity_at(threshold)(answers),
    )
