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
    needed to find as many of the melanomas as the network before does: a new head must not pay with those.

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
    found = 0.0
    if before is not None:
        found = sensitivity_at(before.operating_points.watch.threshold, melanoma_only=True)(
            before.answers_by_lesion(cases)
        )
    return Network(head, calibration, _operating_points(answers, found))


def _operating_points(answers: Answers, melanomas_found: float) -> OperatingPoints:
    begins = tier_thresholds({"": answers})
    watch = begins["watch"]
    if melanomas_found > 0:
        mass = answers.malignant_probability[answers.is_melanoma]
        watch = min(watch, float(np.quantile(mass, 1 - melanomas_found, method="lower")))
    return OperatingPoints(urgent=_point(begins["urgent"], answers), watch=_point(watch, answers))


def _point(threshold: float, answers: Answers) -> OperatingPoint:
    return OperatingPoint(
        threshold=threshold,
        sensitivity=sensitivity_at(threshold)(answers),
        melanoma_sensitivity=sensitivity_at(threshold, melanoma_only=True)(answers),
        specificity=specificity_at(threshold)(answers),
    )
