"""Tiers of urgency by malignant probability. The two thresholds belong to the model version, not to the code.

Both are chosen on the calibration folds by the rules in ``metrics/calibration_rules.py``; the stated sensitivity and
specificity are those on the held-out test set.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Any

from mlmodel.taxonomy import CODES, MALIGNANT_CODES


def stored_threshold(threshold: float) -> float:
    """Return a threshold rounded down to six digits; rounded up, it would miss the lesion that set it."""
    return floor(threshold * 1e6) / 1e6


class Tier(StrEnum):
    URGENT = "urgent"
    WATCH = "watch"
    CALM = "calm"


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the malignant probability with its sensitivity and specificity.

    They are measured on the same photographs for every version: the sharp ones of the held-out test set, one per
    lesion.

    Attributes:
        threshold: in [0, 1]; at or above it a lesion is flagged.
        sensitivity: share of malignant lesions (mel, bcc, akiec) that are flagged.
        melanoma_sensitivity: share of melanomas that are flagged.
        specificity: share of benign lesions that are not flagged.
        least_sensitivity: the lowest sensitivity at any source of photographs; None if there is only one source.
        least_melanoma_sensitivity: the same for melanomas.
        least_specificity: the lowest specificity.
    """

    threshold: float
    sensitivity: float
    melanoma_sensitivity: float
    specificity: float
    least_sensitivity: float | None = None
    least_melanoma_sensitivity: float | None = None
    least_specificity: float | None = None

    @property
    def malignant_found(self) -> tuple[float, float]:
        """The lowest sensitivity at any source of photographs, and the stated sensitivity."""
        return _range(self.sensitivity, self.least_sensitivity)

    @property
    def melanomas_found(self) -> tuple[float, float]:
        """The lowest and the stated sensitivity for melanoma."""
        return _range(self.melanoma_sensitivity, self.least_melanoma_sensitivity)

    @property
    def benign_spared(self) -> tuple[float, float]:
        """The lowest and the stated specificity."""
        return _range(self.specificity, self.least_specificity)


@dataclass(frozen=True)
class OperatingPoints:
    """The two thresholds of a model version; ``urgent`` is above ``watch``."""

    urgent: OperatingPoint
    watch: OperatingPoint

    def tier_of(self, malignant_probability: float) -> Tier:
        """Return the tier for a calibrated malignant probability in [0, 1]."""
        if malignant_probability >= self.urgent.threshold:
            return Tier.URGENT
        if malignant_probability >= self.watch.threshold:
            return Tier.WATCH
        return Tier.CALM

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "OperatingPoints":
        """Return the thresholds from the manifest's ``operating_points``."""
        return cls(urgent=OperatingPoint(**settings["urgent"]), watch=OperatingPoint(**settings["watch"]))


def _range(share: float, least: float | None) -> tuple[float, float]:
    return (share if least is None else min(share, least)), share


def explained_code(probabilities: Mapping[str, float], *, tier: str) -> str:
    """Return the class that explains an answer, whose heat map and article are shown.

    An urgent or watch tier comes from the malignant classes together, so the most probable of these explains it, even
    if a benign class is more probable. A calm tier is explained by the most probable class.

    Args:
        probabilities: calibrated, by code, all seven.
        tier: the tier of the answer.
    """
    return _most_probable(probabilities, CODES if tier == Tier.CALM else MALIGNANT_CODES)


def most_probable_code(probabilities: Mapping[str, float]) -> str:
    """Return the most probable class; ties are resolved by the order of ``taxonomy.CODES``."""
    return _most_probable(probabilities, CODES)


def class_order(probabilities: Mapping[str, float]) -> list[str]:
    """Return the seven codes, most probable first, for answers without reliable probabilities."""
    return sorted(CODES, key=lambda code: -probabilities[code])


def _most_probable(probabilities: Mapping[str, float], codes: Iterable[str]) -> str:
    return max(codes, key=lambda code: probabilities[code])
