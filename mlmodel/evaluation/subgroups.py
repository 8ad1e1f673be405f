"""Results by age band, sex, body site, source and skin type, with the number behind each."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.evaluation.answering import Answered
from mlmodel.evaluation.estimates import Estimated, estimate_all
from mlmodel.evaluation.test_sets import TRAITS, Strings
from mlmodel.metrics import performance
from mlmodel.metrics.curves import wilson
from mlmodel.metrics.performance import Answers

# Below these numbers of lesions an interval spans most of what is possible, and a figure only misleads.
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
    """Return by trait the groups in order, each with its numbers and its figures by lesion.

    A figure is None where fewer than ``FEWEST_LESIONS`` lesions, or ``FEWEST_OF_A_KIND`` malignant or benign ones,
    stand behind it.

    Args:
        answered: photographs and answers; those outside the seven classes are left out.
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
    """Return the band of an age in years, or that it is not recorded."""
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
    found = {
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
        "figures": {figure: found[figure] if enough else None for figure, enough in needs.items()},
    }


def _share(hits: npt.NDArray[np.bool_]) -> Estimated:
    """Return a share with Wilson's interval: in small groups, resampling within classes shows too little chance."""
    if not len(hits):
        return None
    low, high = wilson(int(hits.sum()), len(hits))
    return {"value": round(float(hits.mean()), 6), "low": low, "high": high}
