"""What the malignant probability mass asks for. The two thresholds travel with the model version, not with the code.

Both are chosen on the calibration folds by the rule in ``training/calibration_rules.py``; the sensitivity and
specificity stated are those of the locked test.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import Any

from mlmodel.taxonomy import CODES, MALIGNANT_CODES


def stored_threshold(threshold: float) -> float:
    """Return a threshold as it is kept, six digits: rounded down, or the lesion that it was taken from is missed."""
    return floor(threshold * 1e6) / 1e6


class Tier(StrEnum):
    URGENT = "urgent"
    WATCH = "watch"
    CALM = "calm"


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold on the malignant probability, and what it costs.

    Of every version the costs are measured on the same photographs: the locked test's sharp ones, one of each lesion.

    Attributes:
        threshold: in [0, 1]; at or above it a lesion is flagged.
        sensitivity: share of malignant lesions (mel, bcc, akiec) that are flagged.
        melanoma_sensitivity: share of melanomas that are flagged.
        specificity: share of benign lesions that are not flagged.
        least_sensitivity: the lowest share of malignant lesions at any source of photographs; None where one is known.
        least_melanoma_sensitivity: the same of melanomas.
        least_specificity: the same of benign lesions that are not flagged.
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
        """The share of malignant lesions that are flagged where the network does worst, and the share stated."""
        return _range(self.sensitivity, self.least_sensitivity)

    @property
    def melanomas_found(self) -> tuple[float, float]:
        """The same of melanomas."""
        return _range(self.melanoma_sensitivity, self.least_melanoma_sensitivity)

    @property
    def benign_spared(self) -> tuple[float, float]:
        """The same of benign lesions that are not flagged."""
        return _range(self.specificity, self.least_specificity)


@dataclass(frozen=True)
class OperatingPoints:
    """The two thresholds of a model version; ``urgent`` lies above ``watch``."""

    urgent: OperatingPoint
    watch: OperatingPoint

    def tier_of(self, malignant_probability: float) -> Tier:
        """Return the tier for a calibrated malignant probability mass in [0, 1]."""
        if malignant_probability >= self.urgent.threshold:
            return Tier.URGENT
        if malignant_probability >= self.watch.threshold:
            return Tier.WATCH
        return Tier.CALM

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "OperatingPoints":
        """Read what the manifest holds under ``operating_points``."""
        return cls(urgent=OperatingPoint(**settings["urgent"]), watch=OperatingPoint(**settings["watch"]))


def _range(share: float, least: float | None) -> tuple[float, float]:
    return (share if least is None else min(share, least)), share


def explained_code(probabilities: Mapping[str, float], *, tier: str) -> str:
    """Return the class that explains an answer: its heat map is drawn and its article is shown.

    An urgent or watch tier comes from the mass on the malignant classes, so the most probable of those explains it,
    even where a benign class alone is more probable. A calm tier is explained by the most probable class.

    Args:
        probabilities: calibrated, by code, all seven.
        tier: of the same answer.
    """
    return _most_probable(probabilities, CODES if tier == Tier.CALM else MALIGNANT_CODES)


def most_probable_code(probabilities: Mapping[str, float]) -> str:
    """Return the most probable single class; of equals the first in the order of ``taxonomy.CODES``."""
    return _most_probable(probabilities, CODES)


def class_order(probabilities: Mapping[str, float]) -> list[str]:
    """Return the seven codes, most probable first: all that is said of an answer that cannot be relied on."""
    return sorted(CODES, key=lambda code: -probabilities[code])


def _most_probable(probabilities: Mapping[str, float], codes: Iterable[str]) -> str:
    return max(codes, key=lambda code: probabilities[code])
