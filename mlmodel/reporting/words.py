"""Wording of the report: names of classes, subsets, traits and metrics."""

from collections.abc import Mapping
from typing import Any

from mlmodel.counted import per_hundred
from mlmodel.taxonomy import BY_CODE

SUBSETS = {
    "lesions": "All, by lesion",
    "photographs": "All, by photograph",
    "sharp": "Sharp photographs",
    "sharp_lesions": "Sharp, by lesion",
}
TIERS = {"urgent": "urgent", "watch": "watch or urgent"}
TRAITS = {"age": "Age", "sex": "Sex", "site": "Body site", "source": "Source", "skin_type": "Skin type (Fitzpatrick)"}
# Metric, its name, and a one-sentence definition.
HEADLINE = (
    (
        "balanced_accuracy",
        "Balanced accuracy",
        "The mean of the sensitivities of all classes, every class assumed equally likely; guessing gives 0.143.",
    ),
    ("accuracy", "Accuracy", "The share whose most probable class, as shown to users, is correct."),
    ("top2_accuracy", "Top-2 accuracy", "The share whose true class is among the two most probable."),
    (
        "macro_auc",
        "Macro AUC",
        "The chance that a lesion of a class gets a higher probability for it than another lesion does, averaged over "
        "the classes; guessing gives 0.5.",
    ),
    (
        "malignant_auc",
        "Malignant against benign, AUC",
        "The chance that a malignant or pre-malignant lesion gets a higher malignant probability than a benign one.",
    ),
    (
        "melanoma_specificity",
        "Melanoma: specificity at 0.90 sensitivity",
        "The share of other lesions not flagged at the melanoma probability that flags nine of ten melanomas.",
    ),
    (
        "calibration_error",
        "Expected calibration error",
        "The mean difference between confidence and accuracy, over 15 bins of confidence; 0 is best.",
    ),
    (
        "set_coverage",
        "Coverage of the 90 % set",
        "How often the true class is in the conformal set, which should contain it nine times in ten.",
    ),
    (
        "set_size",
        "Classes in the 90 % set",
        "The mean size of that set: 1 is the most informative, 7 is uninformative.",
    ),
)


def name_of(code: str) -> str:
    """Return the name of a class, or a code that is none of the seven in capitals."""
    return BY_CODE[code].name if code in BY_CODE else code.upper()


def of_a_hundred(found: Mapping[str, float] | None) -> str:
    """Return “89 of 100 (82–94)”."""
    if found is None:
        return "an unknown share"
    value, low, high = (per_hundred(found[name]) for name in ("value", "low", "high"))
    return f"{value} of 100 ({low}–{high})"


def worst_source(by_source: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the source where *watch* finds the smallest share of melanomas, as ``name`` and ``figure``.

    None if fewer than two sources have enough melanomas.
    """
    shares = {
        name: figure for name, each in by_source.items() if (figure := each["figures"]["watch.melanoma_sensitivity"])
    }
    if len(shares) < 2:
        return None
    name = min(shares, key=lambda each: shares[each]["value"])
    return {"name": name, "figure": shares[name]}
