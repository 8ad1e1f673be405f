"""The gate's rules and results. The limits are justified in ``docs/understand/retraining.md``."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mlmodel.retraining.reason_texts import reason_text
from mlmodel.taxonomy import CODES
from mlmodel.texts import Text, Translate
from mlmodel.texts import gettext_noop as _


class Verdict(StrEnum):
    """PROMOTE: may be promoted. HOLD: there is not enough evidence. REJECT: shown to be worse."""

    PROMOTE = "promote"
    HOLD = "hold"
    REJECT = "reject"


# The verdicts in lines of text, as in logs and model cards.
VERDICTS = {Verdict.PROMOTE: _("PROMOTE"), Verdict.HOLD: _("HOLD"), Verdict.REJECT: _("REJECT")}


def _floors() -> dict[str, float]:
    return {"akiec": 0.40, "bcc": 0.80, "bkl": 0.55, "df": 0.50, "mel": 0.55, "nv": 0.85, "vasc": 0.70}


@dataclass(frozen=True)
class GateRules:
    """The gate's limits.

    Attributes:
        base_change: the lower bound of the change in balanced accuracy on the base test set must be above this.
        clinic_change: the same on the clinic's test set.
        melanoma_change: the lower bound of the change in melanoma sensitivity must not be below this.
        calibration_error: the maximum expected calibration error of the candidate on the base test set.
        watch_specificity: the largest allowed change in the specificity of *watch* on the base test set, since a
            threshold that flags everything is useless.
        recall_floors: by code; no class's recall on the base test set may fall below its floor.
        clinic_lesions: the minimum size of the clinic's test set.
        clinic_lesions_of_a_class: classes with fewer lesions are not included in the clinic's balanced accuracy.
        clinic_classes: the minimum number of classes that are included.
        worthwhile_change: the change on the clinic's test set for which the number of labels needed is stated, if
            there is no gain yet.
        resamples: the number of bootstrap resamples.
        confidence: the two-sided confidence level of the intervals.
    """

    base_change: float = -0.01
    clinic_change: float = 0.0
    melanoma_change: float = -0.02
    calibration_error: float = 0.03
    watch_specificity: float = -0.10
    recall_floors: dict[str, float] = field(default_factory=_floors)
    clinic_lesions: int = 50
    clinic_lesions_of_a_class: int = 5
    clinic_classes: int = 2
    worthwhile_change: float = 0.05
    resamples: int = 2000
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not isinstance(self.recall_floors, dict):
            raise ValueError("recall_floors must be an object: a number for each class's code.")
        for name, value in (*asdict(self).items(), *self.recall_floors.items()):
            if name != "recall_floors" and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise ValueError(f"{name} is {value!r}, and must be a number.")
        if unknown := set(self.recall_floors) - set(CODES):
            raise ValueError(f"Unknown class {', '.join(sorted(unknown))}: the seven are {', '.join(CODES)}.")
        if not (0.5 < self.confidence < 1.0 and self.resamples >= 100):
            raise ValueError("The gate needs a confidence between 0.5 and 1 and at least 100 resamples.")


@dataclass(frozen=True)
class Change:
    """A metric of both networks and its change, with the interval of the paired bootstrap."""

    active: float
    candidate: float
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """The comparison of both networks on one test set, by lesion.

    Attributes:
        lesions: the number of lesions of each class, by code.
        photographs: the number of photographs.
        balanced_accuracy: over the included classes; None if there are too few.
        melanoma_sensitivity: at each network's operating point ``watch``; None without melanomas.
        recall: by code, for the classes present.
        calibration_error: the expected calibration error over 15 bins.
    """

    lesions: dict[str, int]
    photographs: int
    balanced_accuracy: Change | None
    melanoma_sensitivity: Change | None
    recall: dict[str, Change]
    calibration_error: Change

    @property
    def lesion_count(self) -> int:
        return sum(self.lesions.values())

    def candidate_figures(self) -> dict[str, dict[str, float]]:
        """Return the candidate's metrics in the format of a release's held-out test results."""
        figures = {"calibration_error": {"value": round(self.calibration_error.candidate, 4)}}
        if self.balanced_accuracy is not None:
            figures["balanced_accuracy"] = {"value": round(self.balanced_accuracy.candidate, 4)}
        return figures


@dataclass(frozen=True)
class Reason:
    """The result of one rule.

    Attributes:
        code: the rule's code.
        weight: the verdict that this rule alone would give.
        figures: its numbers, JSON-ready.
    """

    code: str
    weight: Verdict
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> Text:
        """A sentence with the numbers."""
        return reason_text(self.code, self.figures)

    def told(self, translate: Translate = str) -> str:
        """Return the result as a line. A single rule is reported as met, since it alone does not promote."""
        outcome = _("MET") if self.weight == Verdict.PROMOTE else VERDICTS[self.weight]
        return f"{translate(outcome)}: {self.text.translated(translate)}"


@dataclass(frozen=True)
class Judgement:
    """The gate's result. A person decides; a candidate with REJECT cannot be promoted.

    Attributes:
        verdict: the most severe weight of the reasons.
        reasons: every rule, the most severe first.
        base: the comparison on the base held-out test set.
        clinic: the comparison on the clinic's held-out test set; None if there is none.
        labels_needed: for HOLD, about how many more lesions in the clinic's held-out test set would settle it.
        turned_wrong: rows of the clinic's cases that the active network classifies correctly and the candidate does
            not.
        operating_points: sensitivity, melanoma_sensitivity and specificity of the candidate's two tiers, as in its
            release.
        threshold_levels: the candidate's threshold levels in the format of its release's settings; empty if there are
            too few lesions.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    base: Comparison
    clinic: Comparison | None
    labels_needed: int | None
    turned_wrong: tuple[int, ...]
    operating_points: dict[str, dict[str, float]]
    threshold_levels: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the judgement as JSON-ready values."""
        return {
            **asdict(self),
            "verdict": self.verdict.value,
            # The words are shown if a later version of the software no longer knows the code.
            "reasons": [
                asdict(reason) | {"weight": reason.weight.value, "words": str(reason.text)} for reason in self.reasons
            ],
            "turned_wrong": list(self.turned_wrong),
        }
