"""How a form asks for a diagnosis: a list in groups, and a line of text that finds the list's names."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.images.condition_names import condition_name, malignancy_words
from diagnosis.reviews.answers import (
    CANNOT_TELL,
    FREE_TEXT,
    NOT_A_LESION,
    OTHER,
    OTHER_BENIGN,
    OTHER_MALIGNANT,
    is_malignant_answer,
    malignancy_of,
)
from diagnosis.reviews.diagnoses import BY_CODE, DIAGNOSES, by_malignancy, recognise, resembling, sounds_malignant
from diagnosis.reviews.review_words import answer_malignancy, answer_name
from mlmodel.taxonomy import CODES

# What a reader says of their own words: each makes another answer of “something else”.
NOT_KNOWN = "not_known"
DANGERS = [
    (OTHER_MALIGNANT, gettext_lazy("Yes")),
    (OTHER_BENIGN, gettext_lazy("No")),
    (NOT_KNOWN, gettext_lazy("Not known")),
]


class DangerMissing(ValidationError):
    """Own words without a word on whether they are malignant."""


def danger_said(answer: str) -> str:
    """Which of ``DANGERS`` an answer in own words came from; empty of any other."""
    return (NOT_KNOWN if answer == OTHER else answer) if answer in FREE_TEXT else ""


def grouped_answers(own_words: Sequence[str] = (OTHER,)) -> list[tuple[str, Any]]:
    """The choices of an answer: the seven, the other diagnoses by how dangerous they are, and what names none."""
    without_name = (*own_words, CANNOT_TELL, NOT_A_LESION)
    return [
        ("", _("Choose…")),
        (_("Known to the network"), [(code, answer_name(code)) for code in CODES]),
        *(
            (malignancy_words(malignancy).capitalize(), [(each.code, condition_name(each)) for each in found])
            for malignancy, found in by_malignancy()
        ),
        (_("None of these"), [(answer, _own_name(answer, own_words)) for answer in without_name]),
    ]


def _own_name(answer: str, own_words: Sequence[str]) -> str:
    """Where each danger is an answer of its own, “something else” says that it is not known."""
    if answer == OTHER and len(own_words) > 1:
        return _("Something else, not known whether malignant")
    return answer_name(answer)


class DiagnosisInput(forms.TextInput):
    """A line of text that offers the diagnoses outside the seven as it is typed, found by any of their names."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = {**(attrs or {})}
        own["list"] = f"{own.get('id', name)}_list"
        options = format_html_join(
            "",
            '<option value="{}" label="{}"></option>',
            (
                # Some browsers show the label alone, so it says the name again.
                (
                    condition_name(each),
                    " · ".join((condition_name(each), malignancy_words(each.malignancy), *each.synonyms)),
                )
                for each in DIAGNOSES
            ),
        )
        line = super().render(name, value, {**own, "autocomplete": "off"}, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', line, own["list"], options)


def read_answer(answer: str, text: str, danger: str, *, as_typed: str) -> tuple[str, str]:
    """The answer to record, and the reader's own words where it is none of the list.

    Args:
        danger: of ``DANGERS``; empty where nothing was said.
        as_typed: words that were asked about before and are sent again, so they are meant.

    Raises:
        ValidationError: a name that is spelt nearly like one of the list's, or that contradicts ``danger``.
        DangerMissing: nobody said whether the reader's own words are malignant.
    """
    if answer not in FREE_TEXT:
        return answer, ""
    if danger and answer == OTHER:
        answer = OTHER if danger == NOT_KNOWN else danger
    text = text.strip()
    if code := recognise(text):
        both = is_malignant_answer(answer) and is_malignant_answer(code)
        if answer == OTHER or both or malignancy_of(answer) is malignancy_of(code):
            return code, ""
        raise ValidationError(
            _("%(name)s is %(malignancy)s. Correct what it is, or what you say of its danger.")
            % {"name": answer_name(code), "malignancy": answer_malignancy(code)}
        )
    if answer == OTHER_BENIGN and sounds_malignant(text):
        raise ValidationError(
            _("“%(words)s” names a cancer. Choose it from the list, or say that it is malignant or not known.")
            % {"words": text}
        )
    if text != as_typed and (codes := resembling(text)):
        names = _(" or ").join(_("“%s”") % condition_name(BY_CODE[code]) for code in codes)
        words = _("Do you mean %(names)s? Choose it. If it is something else, send it again as it is.")
        raise ValidationError(words % {"names": names}, params={"codes": codes})
    if answer == OTHER and danger != NOT_KNOWN:
        raise DangerMissing(_("Say whether it is malignant; choose “Not known” if that is so."))
    return answer, text
