"""What people may send about photographs."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from diagnosis.reviews.answer_fields import (
    DANGERS,
    NOT_KNOWN,
    DangerMissing,
    DiagnosisInput,
    grouped_answers,
    read_answer,
)
from diagnosis.reviews.answers import FREE_TEXT, OTHER, Basis, Certainty
from diagnosis.reviews.models import Review
from diagnosis.reviews.review_words import answer_name


class ReviewForm(forms.ModelForm):
    danger = forms.ChoiceField(
        choices=DANGERS,
        required=False,
        widget=forms.RadioSelect,
        label=_("Is it malignant?"),
        help_text=_("Answer this only for your own words: a diagnosis of the list says it itself."),
    )
    # Where each danger is an answer of its own there is no second question.
    asks_about_danger = True
    # What may be meant by the words: codes and names, each to be chosen with a button.
    suggested: Sequence[tuple[str, str]] = ()
    # What colleagues had said when the form was made, so that a stale one replaces nothing unseen.
    made_from = forms.CharField(required=False, widget=forms.HiddenInput)
    # Words that were asked about and are sent again: they are meant as they are.
    as_typed = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    class Meta:
        model = Review
        fields = ["answer", "other_text", "certainty", "basis", "reason"]
        labels = {
            "answer": _("What is it?"),
            "other_text": _("Something else: what?"),
            "certainty": _("How sure are you?"),
            "basis": _("How is it known?"),
            "reason": _("Why?"),
        }
        help_texts = {
            "other_text": _("Type to find a diagnosis by any of its names, or use your own words."),
            "reason": _("What decides it: features, the pathologist's report, what follow-up showed."),
        }
        widgets = {
            "other_text": DiagnosisInput,
            "certainty": forms.RadioSelect,
            "reason": forms.Textarea(attrs={"rows": 3}),
        }
        error_messages = {
            "answer": {"required": _("Choose what it is.")},
            "certainty": {"required": _("Say how sure you are.")},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Nothing is chosen beforehand: a label that is two clicks away is no opinion.
        super().__init__(*args, **kwargs)
        answer, certainty, basis = (self.fields[name] for name in ("answer", "certainty", "basis"))
        assert isinstance(answer, forms.ChoiceField)
        assert isinstance(certainty, forms.ChoiceField)
        answer.choices = grouped_answers()
        certainty.choices = Certainty.choices
        # Most is known by looking, so that is what is meant where nothing is said.
        basis.required = False

    @property
    def words_meant(self) -> str:
        """Words that were asked about before and are sent again."""
        return str(self.cleaned_data.get("as_typed", ""))

    def made_anew(self, token: str) -> None:
        """Carry on from what colleagues have said by now, which is shown beside this form."""
        self.data = MultiValueDict(self.data)
        self.data[self.add_prefix("made_from")] = token

    @property
    def own_words(self) -> str:
        """The answer that was sent, in words."""
        said = getattr(self, "cleaned_data", {})  # of a form that was sent
        answer, text = said.get("answer", ""), said.get("other_text", "")
        return answer_name(answer, text) if answer else ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        cleaned["basis"] = cleaned.get("basis") or Basis.DERMATOSCOPY
        danger, as_typed = cleaned.pop("danger", ""), self.words_meant
        cleaned.pop("as_typed", None)
        answer, text = cleaned.get("answer", ""), cleaned.get("other_text", "")
        if not self.asks_about_danger:
            danger = NOT_KNOWN if answer == OTHER else answer
        if answer in FREE_TEXT and not text.strip():
            if "other_text" not in self.errors:
                self.add_error("other_text", _("Say what else it is."))
            return cleaned
        try:
            cleaned["answer"], cleaned["other_text"] = read_answer(answer, text, danger, as_typed=as_typed)
        except DangerMissing as error:
            self.add_error("danger", error)
            # The words were looked at; only the question is open.
            self.data = MultiValueDict(self.data)
            self.data[self.add_prefix("as_typed")] = text.strip()
        except forms.ValidationError as error:
            self.add_error("other_text", error)
            self.suggested = [(code, answer_name(code)) for code in (error.params or {}).get("codes", ())]
            # A hidden field keeps what it was sent, unless what was sent is changed.
            self.data = MultiValueDict(self.data)
            self.data[self.add_prefix("as_typed")] = text.strip()
        return cleaned
