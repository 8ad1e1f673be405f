"""How reviews are said."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.answers import CANNOT_TELL, NOT_A_LESION, OTHER
from diagnosis.condition_names import condition_name, malignancy_name
from mlmodel.taxonomy import BY_CODE
from patients.models import Clinic, ReviewRule

LABEL_MARKS = {"urgent": "!", "calm": "✓", "refused": "–"}


def answer_name(answer: str, other_text: str = "") -> str:
    """A review's answer: one of the seven by its name, or what is none of them."""
    if answer in BY_CODE:
        return condition_name(BY_CODE[answer])
    name = {
        OTHER: _("Something else"),
        CANNOT_TELL: _("Cannot tell"),
        NOT_A_LESION: _("Not a lesion"),
    }[answer]
    return f"{name}: {other_text}" if other_text else name


def label_tone(answer: str) -> str:
    """The end of a class name. What is none of the seven is neither a warning nor an all-clear."""
    if answer not in BY_CODE:
        return "refused"
    return "urgent" if BY_CODE[answer].is_malignant else "calm"


@dataclass(frozen=True)
class LabelView:
    """A confirmed label as a page shows it; ``malignancy`` is empty for what is none of the seven."""

    name: str
    malignancy: str
    tone: str
    mark: str


def present_label(answer: str, other_text: str = "") -> LabelView:
    tone = label_tone(answer)
    return LabelView(
        name=answer_name(answer, other_text),
        malignancy=malignancy_name(BY_CODE[answer]) if answer in BY_CODE else "",
        tone=tone,
        mark=LABEL_MARKS[tone],
    )


def rule_hint(clinic: Clinic) -> str:
    """What a review that is made on a result's page counts for under the clinic's rule."""
    if clinic.review_rule == ReviewRule.TWO_BLINDED_READERS:
        return _(
            "Two blinded readers settle a label here, and you have seen the network's answer: what you say is kept, "
            "but decides only as histopathology or consensus. For a blinded opinion use the review queue."
        )
    return _("Reviews are kept for good. To change your mind, add another; the newest one counts.")
