"""Results by age band, sex, body site, source and skin type, with the number of lesions."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.evaluation.answering import Answered
from mlmodel.evaluation.estimates import Estimated, estimate_all
from mlmodel.evaluation.test_sets import TRAITS, Strings
from mlmodel.metrics import performance
from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import Answers

# With fewer lesions, an interval covers most of the possible range and a point estimate is misleading.
FEWEST_LESIONS = 20
FEWEST_OF_A_KIND = 10
UNKNOWN = "not recorded"
_AGES = (
    (0, 30, "under 30"),
    (30, 45, "30 to 44"),
    (45, 60, "45 to 59"),
    (60, 75, "60 to 74"),
    (75, 999, "75 and over"),
)
_SKIN_TYPES = ("I", "II", "III", "IV", "V", "VI")


def subgroups_of(answered: Answered, *, watch: float) -> dict[str, list[dict[str, Any]]]:
    """Return the groups of each trait in order, with their counts and their metrics by lesion.

    A metric is None if there are fewer than ``FEWEST_LESIONS`` lesions, or fewer than ``FEWEST_OF_A_KIND`` malignant
    or benign ones.

    Args:
        answered: photographs and answers; those outside the seven classes are excluded.
        watch: the lower threshold on the malignant probability.
    """
    inside = answered.is_inside
    answers = answered.answers.take(inside)
    traits = {name: values[inside] for name, values in answered.photographs.traits.items()}
    return {
        trait: [_group(name, answers.take(rows), watch) for name, rows in _groups(trait, traits[trait])]
        for trait in TRAITS
        if trait in traits
    }


def age_band(age: str) -> str:
    """Return the band of an age in years, or ``UNKNOWN``."""
    if not age:
        return UNKNOWN
    return next(name for low, high, name in _AGES if low <= float(age) < high)


def _groups(trait: str, values: Strings) -> list[tuple[str, Any]]:
    if trait == "age":
        values = np.array([age_band(value) for value in values])
        order = [name for _, _, name in _AGES]
    elif trait == "skin_type":
        order = list(_SKIN_TYPES)
    else:
        names, counts = np.unique(values[values != ""], return_counts=True)
        order = [str(name) for name in names[np.argsort(-counts, kind="stable")]]
    values = np.where(values == "", UNKNOWN, values)
    return [(name, values == name) for name in (*order, UNKNOWN) if (values == name).any()]


def _group(name: str, photographs: Answers, watch: float) -> dict[str, Any]:
    answers = performance.by_lesion(photographs)
    malignant = int(answers.is_malignant.sum())
    benign = len(answers.labels) - malignant
    both = malignant and benign
    area = estimate_all(lambda each: {"auc": performance.malignant_auc(each)}, answers)["auc"] if both else None
    mass, is_malignant = answers.malignant_probability, answers.is_malignant
    figures = {
        "accuracy": _share(answers.probabilities.argmax(axis=1) == answers.labels),
        "malignant_auc": area,
        "watch_sensitivity": _share(mass[is_malignant] >= watch),
        "watch_specificity": _share(mass[~is_malignant] < watch),
    }
    needs = {
        "accuracy": len(answers.labels) >= FEWEST_LESIONS,
        "malignant_auc": min(malignant, benign) >= FEWEST_OF_A_KIND,
        "watch_sensitivity": malignant >= FEWEST_OF_A_KIND,
        "watch_specificity": benign >= FEWEST_OF_A_KIND,
    }
    return {
        "group": name,
        "photographs": len(photographs.labels),
        "lesions": len(answers.labels),
        "malignant": malignant,
        "melanomas": int(answers.is_melanoma.sum()),
        "figures": {figure: figures[figure] if enough else None for figure, enough in needs.items()},
    }


def _share(hits: npt.NDArray[np.bool_]) -> Estimated:
    """Return a share with Wilson's interval, since the bootstrap understates uncertainty in small groups."""
    if not len(hits):
        return None
    low, high = wilson(int(hits.sum()), len(hits))
    return {"value": round(float(hits.mean()), 6), "low": low, "high": high}
