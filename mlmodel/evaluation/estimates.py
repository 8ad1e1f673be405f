"""All metrics of the report for one set of answers, with bootstrap intervals over lesions.

Definitions shared with training are in ``mlmodel.metrics.performance``. Undefined metrics (such as the sensitivity for
a class that is not in the set) are NaN here and None in the facts.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from mlmodel.metrics import performance
from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import Answers
from mlmodel.network.calibration import in_set
from mlmodel.network.head import Floats
from mlmodel.taxonomy import CODES

Figures = dict[str, float]
Estimated = dict[str, float] | None
_K = len(CODES)
_MELANOMA = CODES.index("mel")
TARGET_SENSITIVITY = 0.9


def measure(answers: Answers, *, thresholds: Mapping[str, float], set_thresholds: Floats) -> Figures:
    """Return every metric by its dotted name, for example ``class.mel.sensitivity``.

    Args:
        answers: for N photographs or lesions, all of one of the seven classes.
        thresholds: on the malignant probability, by tier.
        set_thresholds: float32 (7,), the lowest equal-prior score with which each class is in the prediction set.
    """
    return {
        **_overall(answers),
        **_sets(answers, set_thresholds),
        **_by_class(answers),
        **_by_tier(answers, thresholds),
    }


def estimate_all(
    function: Callable[[Answers], Figures], answers: Answers, *, counts: Mapping[str, int] | None = None, seed: int = 0
) -> dict[str, Estimated]:
    """Return each metric with its 95 % percentile interval from 1,000 bootstrap resamples of lesions within classes.

    A metric that is NaN becomes None; resamples in which it is NaN are ignored. Where a metric is the same in all
    resamples, the bootstrap cannot show uncertainty, so shares get Wilson's interval instead.

    Args:
        function: returns the metrics by name, with the same names for every resample.
        answers: for photographs or lesions.
        counts: the denominator of each share, by metric.
        seed: for the bootstrap.
    """
    figures = function(answers)
    resampled = np.array([list(function(each).values()) for each in performance.resamples(answers, seed=seed)])
    return {
        name: _estimated(value, resampled[:, column], (counts or {}).get(name, 0))
        for column, (name, value) in enumerate(figures.items())
    }


def counts_behind(answers: Answers, thresholds: Mapping[str, float]) -> dict[str, int]:
    """Return the denominator of each share in ``measure``."""
    malignant, melanomas, total = int(answers.is_malignant.sum()), int(answers.is_melanoma.sum()), len(answers.labels)
    predicted = np.bincount(answers.probabilities.argmax(axis=1), minlength=_K)
    counts = dict.fromkeys(("accuracy", "top2_accuracy", "set_coverage"), total)
    for index, code in enumerate(CODES):
        own = int((answers.labels == index).sum())
        counts |= {f"class.{code}.{name}": own for name in ("sensitivity", "equal_prior_sensitivity", "set_coverage")}
        counts |= {f"class.{code}.specificity": total - own, f"class.{code}.precision": int(predicted[index])}
    for tier, threshold in thresholds.items():
        counts |= {
            f"tier.{tier}.sensitivity": malignant,
            f"tier.{tier}.melanoma_sensitivity": melanomas,
            f"tier.{tier}.specificity": total - malignant,
            f"tier.{tier}.precision": int((answers.malignant_probability >= threshold).sum()),
            f"tier.{tier}.flagged": total,
        }
    return counts


def confusion(chosen: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the confusion matrix, int64 (7, 7): true classes in rows, predicted classes in columns."""
    return np.bincount(labels * _K + chosen, minlength=_K * _K).reshape(_K, _K)


def melanoma_specificity(answers: Answers, *, sensitivity: float = TARGET_SENSITIVITY) -> float:
    """Return the specificity for melanoma at the highest threshold that reaches this sensitivity."""
    own = np.sort(answers.probabilities[answers.is_melanoma, _MELANOMA])
    others = answers.probabilities[~answers.is_melanoma, _MELANOMA]
    if not len(own) or not len(others):
        return float("nan")
    # The small term absorbs rounding errors in products such as 0.9 × 10.
    threshold = own[len(own) - int(np.ceil(sensitivity * len(own) - 1e-9))]
    return float((others < threshold).mean())


def ratio(part: float, whole: float) -> float:
    """Return a share, or NaN if ``whole`` is 0."""
    return float(part / whole) if whole else float("nan")


def _overall(answers: Answers) -> Figures:
    both = 0 < answers.is_malignant.sum() < len(answers.labels)
    own = answers.probabilities[np.arange(len(answers.labels)), answers.labels]
    rank = (answers.probabilities > own[:, None]).sum(axis=1)
    return {
        "balanced_accuracy": performance.balanced_accuracy(answers),
        "accuracy": performance.accuracy(answers),
        "top2_accuracy": float((rank < 2).mean()),
        "malignant_auc": performance.malignant_auc(answers) if both else float("nan"),
        "melanoma_specificity": melanoma_specificity(answers),
        "calibration_error": performance.expected_calibration_error(answers),
    }


def _sets(answers: Answers, set_thresholds: Floats) -> Figures:
    sets = in_set(answers.scores, set_thresholds)
    is_covered = sets[np.arange(len(answers.labels)), answers.labels]
    figures = {"set_coverage": float(is_covered.mean()), "set_size": float(sets.sum(axis=1).mean())}
    for index, code in enumerate(CODES):
        own = answers.labels == index
        figures[f"class.{code}.set_coverage"] = ratio(is_covered[own].sum(), own.sum())
    return figures


def _by_class(answers: Answers) -> Figures:
    calibrated = confusion(answers.probabilities.argmax(axis=1), answers.labels)
    equal = confusion(answers.scores.argmax(axis=1), answers.labels)
    total, support, predicted = calibrated.sum(), calibrated.sum(axis=1), calibrated.sum(axis=0)
    figures: Figures = {}
    aucs = []
    for index, code in enumerate(CODES):
        hits, own, predicted_own = calibrated[index, index], support[index], predicted[index]
        others = total - own
        is_scored = 0 < own < total
        auc = performance.auc(answers.probabilities[:, index], answers.labels == index) if is_scored else float("nan")
        aucs += [auc] if is_scored else []
        figures |= {
            f"class.{code}.sensitivity": ratio(hits, own),
            f"class.{code}.specificity": ratio(others - predicted_own + hits, others),
            f"class.{code}.precision": ratio(hits, predicted_own),
            f"class.{code}.f1": ratio(2 * hits, own + predicted_own) if own else float("nan"),
            f"class.{code}.auc": auc,
            f"class.{code}.equal_prior_sensitivity": ratio(equal[index, index], own),
        }
    figures["macro_auc"] = float(np.mean(aucs)) if aucs else float("nan")
    return figures


def _by_tier(answers: Answers, thresholds: Mapping[str, float]) -> Figures:
    mass, is_malignant, is_melanoma = answers.malignant_probability, answers.is_malignant, answers.is_melanoma
    figures: Figures = {}
    for tier, threshold in thresholds.items():
        flagged = mass >= threshold
        figures |= {
            f"tier.{tier}.sensitivity": ratio((flagged & is_malignant).sum(), is_malignant.sum()),
            f"tier.{tier}.melanoma_sensitivity": ratio((flagged & is_melanoma).sum(), is_melanoma.sum()),
            f"tier.{tier}.specificity": ratio((~flagged & ~is_malignant).sum(), (~is_malignant).sum()),
            f"tier.{tier}.precision": ratio((flagged & is_malignant).sum(), flagged.sum()),
            f"tier.{tier}.flagged": float(flagged.mean()),
        }
    return figures


def _estimated(value: float, resampled: npt.NDArray[np.float64], count: int) -> Estimated:
    resampled = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(resampled):
        return None
    low, high = np.percentile(resampled, (2.5, 97.5)).tolist()
    if low == high and count:
        low, high = wilson(round(value * count), count)
    return {"value": round(value, 6), "low": round(low, 6), "high": round(high, 6)}
