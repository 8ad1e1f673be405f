"""Reviews and labels in words."""

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
    """Return the name of an answer, with the reader's own words if there are any."""
    if answer in BY_CODE:
        return condition_name(BY_CODE[answer])
    name = {
        OTHER: _("Something else"),
        OTHER_MALIGNANT: _("Something else, malignant"),
        OTHER_BENIGN: _("Something else, benign"),
        CANNOT_TELL: _("Cannot tell"),
        NOT_A_LESION: _("Not a lesion"),
    }[answer]
    # Without a typed full stop, since sentences may end with the name.
    return f"{name}: {other_text.rstrip('. ') or other_text}" if other_text else name


def label_in_words(name: str, suspected: str) -> str:
    """Return a photograph's label, or that it has none, together with a suspected condition."""
    if name and suspected:
        return _("%(name)s; suspected: %(suspected)s") % {"name": name, "suspected": suspected}
    if suspected:
        return _("suspected: %(suspected)s (not settled)") % {"suspected": suspected}
    return name or _("no label")


def label_tone(answer: str) -> str:
    """Return the end of a CSS class name. Free text warns if its reader calls it malignant, and is never calm."""
    if is_malignant_answer(answer):
        return "urgent"
    if leaves_danger_open(answer):
        return "watch"
    return "calm" if answer in BY_CODE else "refused"


def answer_malignancy(answer: str) -> str:
    """Return the malignancy of an answer in words; empty if it names no disease."""
    if malignancy := malignancy_of(answer):
        words = malignancy_words(malignancy)
        return _("%(malignancy)s, according to its reader") % {"malignancy": words} if answer in FREE_TEXT else words
    return _("not known whether malignant") if answer == OTHER else ""


def plain_line(answer: str) -> str:
    """Return a line for patients on a diagnosis outside the seven; empty for the seven, which have articles."""
    condition = BY_CODE.get(answer)
    return _(condition.line) if isinstance(condition, Diagnosis) else ""


def article_of(answer: str) -> str:
    """Return the code of the one of the seven whose article explains an answer; empty if none does."""
    condition = BY_CODE.get(answer)
    return condition.article if isinstance(condition, Diagnosis) else condition.code if condition else ""


def icd10_of(answer: str) -> str:
    return BY_CODE[answer].icd10 if answer in BY_CODE else ""


@dataclass(frozen=True)
class LabelView:
    """A confirmed label as a page shows it.

    Attributes:
        malignancy: in words; empty if it names no disease.
        line: what it is; empty for the seven, which have articles.
        article: the code of the one of the seven whose article explains it; empty if none does.
        leaves_danger_open: its malignancy is not known, so the network's advice and warnings still count.
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
    """Return how a review on the result page counts under the clinic's rule."""
    if clinic.review_rule == ReviewRule.TWO_BLINDED_READERS:
        return _(
            "Two blinded readers settle a label here, and you have seen the network's answer. Your review is stored, "
            "but it decides only as histopathology or consensus. For a blinded opinion use the review queue."
        )
    return _(
        "Reviews are never deleted. To change your mind, add another: the newest one counts, and “unsure” withdraws "
        "your earlier benign answer. But a benign answer does not replace a colleague's malignant one without "
        "histopathology, or until they agree."
    )
