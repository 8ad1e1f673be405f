"""How reviews are said."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.images.condition_names import condition_name, malignancy_words
from diagnosis.reviews.answers import (
    CANNOT_TELL,
    FREE_TEXT,
    NOT_A_LESION,
    OTHER,
    OTHER_BENIGN,
    OTHER_MALIGNANT,
    is_malignant_answer,
    leaves_danger_open,
    malignancy_of,
)
from diagnosis.reviews.diagnoses import BY_CODE, Diagnosis
from patients.models import Clinic, ReviewRule

LABEL_MARKS = {"urgent": "!", "watch": "?", "calm": "✓", "refused": "–"}


def answer_name(answer: str, other_text: str = "") -> str:
    """A review's answer: a diagnosis by its name, or what names none."""
    if answer in BY_CODE:
        return condition_name(BY_CODE[answer])
    name = {
        OTHER: _("Something else"),
        OTHER_MALIGNANT: _("Something else, malignant"),
        OTHER_BENIGN: _("Something else, benign"),
        CANNOT_TELL: _("Cannot tell"),
        NOT_A_LESION: _("Not a lesion"),
    }[answer]
    # Without the full stop that was typed, since sentences end with a name.
    return f"{name}: {other_text.rstrip('. ') or other_text}" if other_text else name


def label_in_words(name: str, suspected: str) -> str:
    """A photograph's label, or that it has none, with what a dermatologist suspects instead."""
    if name and suspected:
        return _("%(name)s; suspected: %(suspected)s") % {"name": name, "suspected": suspected}
    if suspected:
        return _("suspected: %(suspected)s (not settled)") % {"suspected": suspected}
    return name or _("no label")


def label_tone(answer: str) -> str:
    """The end of a class name. Free text is a warning where its reader calls it malignant, and never an all-clear."""
    if is_malignant_answer(answer):
        return "urgent"
    if leaves_danger_open(answer):
        return "watch"
    return "calm" if answer in BY_CODE else "refused"


def answer_malignancy(answer: str) -> str:
    """How dangerous it is, in words; empty where it names no disease."""
    if malignancy := malignancy_of(answer):
        words = malignancy_words(malignancy)
        return _("%(malignancy)s, as its reader says") % {"malignancy": words} if answer in FREE_TEXT else words
    return _("not known whether malignant") if answer == OTHER else ""


def plain_line(answer: str) -> str:
    """What a diagnosis outside the seven is, in a line for a patient; empty for the seven, which have an article."""
    found = BY_CODE.get(answer)
    return _(found.line) if isinstance(found, Diagnosis) else ""


def article_of(answer: str) -> str:
    """Which of the seven has the article that explains an answer; empty where none does."""
    found = BY_CODE.get(answer)
    return found.article if isinstance(found, Diagnosis) else found.code if found else ""


def icd10_of(answer: str) -> str:
    return BY_CODE[answer].icd10 if answer in BY_CODE else ""


@dataclass(frozen=True)
class LabelView:
    """A confirmed label as a page shows it.

    Attributes:
        malignancy: in words; empty where it names no disease.
        line: what it is; empty for the seven, which an article explains.
        article: which of the seven has the article that explains it; empty where none does.
        leaves_danger_open: it is not known whether it is malignant, so the network's advice and warnings still count.
    """

    name: str
    malignancy: str
    icd10: str
    line: str
    article: str
    tone: str
    mark: str
    leaves_danger_open: bool


def present_label(answer: str, other_text: str = "") -> LabelView:
    tone = label_tone(answer)
    return LabelView(
        name=answer_name(answer, other_text),
        malignancy=answer_malignancy(answer),
        icd10=icd10_of(answer),
        line=plain_line(answer),
        article=article_of(answer),
        tone=tone,
        mark=LABEL_MARKS[tone],
        leaves_danger_open=leaves_danger_open(answer),
    )


def rule_hint(clinic: Clinic) -> str:
    """What a review that is made on a result's page counts for under the clinic's rule."""
    if clinic.review_rule == ReviewRule.TWO_BLINDED_READERS:
        return _(
            "Two blinded readers settle a label here, and you have seen the network's answer: what you say is kept, "
            "but decides only as histopathology or consensus. For a blinded opinion use the review queue."
        )
    return _(
        "Reviews are kept for good. To change your mind, add another; the newest one counts, and being unsure takes "
        "back what you called harmless. But nothing harmless replaces a colleague's malignant answer without "
        "histopathology, or until they agree."
    )
