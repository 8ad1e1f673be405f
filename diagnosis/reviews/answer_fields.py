"""Form fields for a diagnosis: grouped choices, and a text input that suggests their names."""

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

# Whether a reader's own words are malignant: each choice is another answer code of “something else”.
NOT_KNOWN = "not_known"
DANGERS = [
    (OTHER_MALIGNANT, gettext_lazy("Yes")),
    (OTHER_BENIGN, gettext_lazy("No")),
    (NOT_KNOWN, gettext_lazy("Not known")),
]


class DangerMissing(ValidationError):
    """The reader used their own words without stating whether they are malignant."""


def danger_named_in(answer: str) -> str:
    """Return the choice of ``DANGERS`` behind an answer in own words; empty for any other answer."""
    return (NOT_KNOWN if answer == OTHER else answer) if answer in FREE_TEXT else ""


def grouped_answers(own_words: Sequence[str] = (OTHER,)) -> list[tuple[str, Any]]:
    """Return the choices of an answer: the seven, other diagnoses by malignancy, and answers without a diagnosis."""
    without_name = (*own_words, CANNOT_TELL, NOT_A_LESION)
    return [
        ("", _("Choose…")),
        (_("Known to the network"), [(code, answer_name(code)) for code in CODES]),
        *(
            (malignancy_words(malignancy).capitalize(), [(each.code, condition_name(each)) for each in diagnoses])
            for malignancy, diagnoses in by_malignancy()
        ),
        (_("None of these"), [(answer, _own_name(answer, own_words)) for answer in without_name]),
    ]


def _own_name(answer: str, own_words: Sequence[str]) -> str:
    # If malignant and benign are choices of their own, “something else” means that it is not known.
    if answer == OTHER and len(own_words) > 1:
        return _("Something else, not known whether malignant")
    return answer_name(answer)


class DiagnosisInput(forms.TextInput):
    """A text input that suggests the diagnoses outside the seven by any of their names."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = {**(attrs or {})}
        own["list"] = f"{own.get('id', name)}_list"
        options = format_html_join(
            "",
            '<option value="{}" label="{}"></option>',
            (
                # Some browsers show the label alone, so it repeats the name.
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
    """Return the answer to record, and the reader's own words if they are no diagnosis of the list.

    Args:
        danger: one of ``DANGERS``; empty if none was chosen.
        as_typed: words that the reader was asked about and sends again, which confirms them.

    Raises:
        ValidationError: the name resembles one of the list's, or contradicts ``danger``.
        DangerMissing: the reader did not state whether their own words are malignant.
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
            _("%(name)s is %(malignancy)s. Correct the diagnosis, or your answer on malignancy.")
            % {"name": answer_name(code), "malignancy": answer_malignancy(code)},
            code="malignancy_of_another_diagnosis",
        )
    if answer == OTHER_BENIGN and sounds_malignant(text):
        raise ValidationError(
            _("“%(words)s” names a cancer. Choose it from the list, or state that it is malignant or not known.")
            % {"words": text},
            code="names_a_cancer",
        )
    if text != as_typed and (codes := resembling(text)):
        names = _(" or ").join(_("“%s”") % condition_name(BY_CODE[code]) for code in codes)
        words = _("Do you mean %(names)s? Choose it. If it is something else, send it again unchanged.")
        raise ValidationError(words % {"names": names}, code="resembles_others", params={"codes": codes})
    if answer == OTHER and danger != NOT_KNOWN:
        raise DangerMissing(
            _("Say whether it is malignant. Choose “Not known” if you do not know."), code="danger_missing"
        )
    return answer, text
