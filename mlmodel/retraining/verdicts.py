"""What the gate asks for, and what it answers. The numbers are justified in ``docs/understand/retraining.md``."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from mlmodel.taxonomy import CODES


class Verdict(StrEnum):
    """PROMOTE: may be promoted. HOLD: there is not enough evidence. REJECT: shown to be worse."""

    PROMOTE = "promote"
    HOLD = "hold"
    REJECT = "reject"


def _floors() -> dict[str, float]:
    return {"akiec": 0.55, "bcc": 0.85, "bkl": 0.60, "df": 0.45, "mel": 0.55, "nv": 0.80, "vasc": 0.80}


@dataclass(frozen=True)
class GateRules:
    """The gate's numbers.

    Attributes:
        base_change: the lower bound of the change in balanced accuracy on the base test must be above it.
        clinic_change: the same on the clinic's test.
        melanoma_change: the lower bound of the change in melanoma sensitivity must not be below it.
        calibration_error: the candidate's expected calibration error on the base test may be this at most.
        watch_specificity: the share of the base test's benign lesions that *watch* leaves alone may fall by so much: a
            threshold that flags everything says nothing.
        recall_floors: by code; no class's recall on the base test may have fallen below.
        clinic_lesions: with fewer in the clinic's test nothing is said of it.
        clinic_lesions_of_a_class: classes with fewer do not count towards the clinic's balanced accuracy.
        clinic_classes: so many classes must count.
        worthwhile_change: for how large a change in the clinic's test the number of labels is stated that would show
            it, when none has been seen yet.
        resamples: of the bootstrap.
        confidence: of its intervals, two-sided.
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
            raise ValueError(f"There is no class {', '.join(sorted(unknown))}: the seven are {', '.join(CODES)}.")
        if not (0.5 < self.confidence < 1.0 and self.resamples >= 100):
            raise ValueError("The gate needs a confidence between 0.5 and 1 and at least 100 resamples.")


@dataclass(frozen=True)
class Change:
    """One figure of both networks, and how it changed, with the interval of the paired bootstrap."""

    active: float
    candidate: float
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Both networks on one test, a lesion counting once.

    Attributes:
        lesions: by code, how many of each class the test holds.
        photographs: of these lesions.
        balanced_accuracy: over the classes that count; None where too few do.
        melanoma_sensitivity: at the operating point of each network, ``watch``; None without melanomas.
        recall: by code, of the classes present.
        calibration_error: of both; over 15 bins.
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
        """Return the candidate's own figures, as a release states those of its locked test."""
        found = {"calibration_error": {"value": round(self.calibration_error.candidate, 4)}}
        if self.balanced_accuracy is not None:
            found["balanced_accuracy"] = {"value": round(self.balanced_accuracy.candidate, 4)}
        return found


@dataclass(frozen=True)
class Reason:
    """Why the verdict is what it is: one rule, met or not.

    Attributes:
        code: a slug for the rule.
        weight: the verdict this rule alone would give.
        words: an English sentence with the figures.
        figures: the same figures, JSON-able.
    """

    code: str
    weight: Verdict
    words: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The rule and what came of it, as a line: of a rule alone it is said that it was met, not that to promote."""
        outcome = "MET" if self.weight == Verdict.PROMOTE else self.weight.value.upper()
        return f"{outcome}: {self.words}"


@dataclass(frozen=True)
class Judgement:
    """The gate's answer. A person decides; what is REJECT cannot be promoted.

    Attributes:
        verdict: the gravest of the reasons' weights.
        reasons: every rule, the gravest first.
        base: on the base locked test.
        clinic: on the clinic's locked test; None where there is none.
        labels_needed: of a HOLD, about how many more lesions in the clinic's locked test would settle it.
        turned_wrong: rows of the clinic's cases that the active network had right and the candidate has wrong.
        operating_points: what the candidate's two tiers cost, measured as its release states it: sensitivity,
            melanoma_sensitivity, specificity.
        threshold_levels: at which other levels the candidate's tiers may begin, as its release's settings hold them;
            empty where too little is known.
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
        """Return all of it, JSON-able."""
        return {
            **asdict(self),
            "verdict": self.verdict.value,
            "reasons": [asdict(reason) | {"weight": reason.weight.value} for reason in self.reasons],
            "turned_wrong": list(self.turned_wrong),
        }
