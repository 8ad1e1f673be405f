"""Every figure of the report for one set of answers, with intervals over resampled lesions.

Definitions that training uses too are taken from ``mlmodel.metrics.performance``. What cannot be said of a set (the
sensitivity for a class that is not in it) is NaN here and None in the facts.
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
SENSITIVITY_ASKED = 0.9


def measure(answers: Answers, *, thresholds: Mapping[str, float], set_thresholds: Floats) -> Figures:
    """Return every figure by its dotted name, for example ``class.mel.sensitivity``.

    Args:
        answers: of N photographs or lesions, all of which show one of the seven classes.
        thresholds: on the malignant probability, by tier.
        set_thresholds: float32 (7,), the least equal-prior score of each class in the prediction set.
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
    """Return each figure with its 95 % percentile interval over 1,000 resamples of lesions, stratified by class.

    A figure that is NaN becomes None; one that is NaN in some resamples has its interval over the others. Where the
    lesions of each class are all alike, resampling cannot show any chance: such shares get Wilson's interval.

    Args:
        function: gives the figures by name, the same names for every resample.
        answers: of photographs or lesions.
        counts: of how many each share is one, by figure.
        seed: of the resamples.
    """
    found = function(answers)
    drawn = np.array([list(function(each).values()) for each in performance.resamples(answers, seed=seed)])
    return {
        name: _estimated(value, drawn[:, column], (counts or {}).get(name, 0))
        for column, (name, value) in enumerate(found.items())
    }


def counts_behind(answers: Answers, thresholds: Mapping[str, float]) -> dict[str, int]:
    """Return of how many each share of ``measure`` is one."""
    malignant, melanomas, total = int(answers.is_malignant.sum()), int(answers.is_melanoma.sum()), len(answers.labels)
    named = np.bincount(answers.probabilities.argmax(axis=1), minlength=_K)
    counts = dict.fromkeys(("accuracy", "top2_accuracy", "set_coverage"), total)
    for index, code in enumerate(CODES):
        own = int((answers.labels == index).sum())
        counts |= {f"class.{code}.{name}": own for name in ("sensitivity", "equal_prior_sensitivity", "set_coverage")}
        counts |= {f"class.{code}.specificity": total - own, f"class.{code}.precision": int(named[index])}
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
    """Return how often each class (row) was named which (column), int64 (7, 7)."""
    return np.bincount(labels * _K + chosen, minlength=_K * _K).reshape(_K, _K)


def melanoma_specificity(answers: Answers, *, sensitivity: float = SENSITIVITY_ASKED) -> float:
    """Share of other lesions below the highest melanoma probability that still finds ``sensitivity`` of melanomas."""
    own = np.sort(answers.probabilities[answers.is_melanoma, _MELANOMA])
    others = answers.probabilities[~answers.is_melanoma, _MELANOMA]
    if not len(own) or not len(others):
        return float("nan")
    # As many as must be found, no more; the small term is for products like 0.9 × 10, which is not quite 9.
    threshold = own[len(own) - int(np.ceil(sensitivity * len(own) - 1e-9))]
    return float((others < threshold).mean())


def ratio(part: float, whole: float) -> float:
    """Return a share, NaN of nothing."""
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
    found = confusion(answers.probabilities.argmax(axis=1), answers.labels)
    equal = confusion(answers.scores.argmax(axis=1), answers.labels)
    total, support, said = found.sum(), found.sum(axis=1), found.sum(axis=0)
    figures: Figures = {}
    aucs = []
    for index, code in enumerate(CODES):
        hits, own, named = found[index, index], support[index], said[index]
        others = total - own
        is_scored = 0 < own < total
        auc = performance.auc(answers.probabilities[:, index], answers.labels == index) if is_scored else float("nan")
        aucs += [auc] if is_scored else []
        figures |= {
            f"class.{code}.sensitivity": ratio(hits, own),
            f"class.{code}.specificity": ratio(others - named + hits, others),
            f"class.{code}.precision": ratio(hits, named),
            f"class.{code}.f1": ratio(2 * hits, own + named) if own else float("nan"),
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


def _estimated(value: float, drawn: npt.NDArray[np.float64], count: int) -> Estimated:
    drawn = drawn[~np.isnan(drawn)]
    if np.isnan(value) or not len(drawn):
        return None
    low, high = np.percentile(drawn, (2.5, 97.5)).tolist()
    if low == high and count:
        low, high = wilson(round(value * count), count)
    return {"value": round(value, 6), "low": round(low, 6), "high": round(high, 6)}
