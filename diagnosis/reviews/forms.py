"""The form of a review."""

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
        help_text=_("Only for your own words: a diagnosis from the list already states it."),
    )
    # False where malignant and benign are answers of their own.
    asks_about_danger = True
    # Codes and names of diagnoses that the words may mean, shown as buttons.
    suggested: Sequence[tuple[str, str]] = ()
    # The token of the colleagues' reviews that the page showed.
    made_from = forms.CharField(required=False, widget=forms.HiddenInput)
    # Words that the reader was asked about; sent again unchanged, they are confirmed.
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
            "reason": _("What the diagnosis is based on: features, the pathologist's report, findings at follow-up."),
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
        # No answer is preselected: accepting a default is not an opinion.
        super().__init__(*args, **kwargs)
        answer, certainty, basis = (self.fields[name] for name in ("answer", "certainty", "basis"))
        assert isinstance(answer, forms.ChoiceField)
        assert isinstance(certainty, forms.ChoiceField)
        answer.choices = grouped_answers()
        certainty.choices = Certainty.choices
        # Dermatoscopy is the default basis.
        basis.required = False

    @property
    def words_meant(self) -> str:
        """The words that the reader was asked about and sent again."""
        return str(self.cleaned_data.get("as_typed", ""))

    def renew(self, token: str) -> None:
        """Set the token to the reviews of colleagues that are now shown next to this form."""
        self.data = MultiValueDict(self.data)
        self.data[self.add_prefix("made_from")] = token

    @property
    def own_words(self) -> str:
        """The answer that was sent, in words."""
        cleaned = getattr(self, "cleaned_data", {})  # unset on an unbound form
        answer, text = cleaned.get("answer", ""), cleaned.get("other_text", "")
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
                self.add_error(
                    "other_text", forms.ValidationError(_("Say what else it is."), code="other_text_missing")
                )
            return cleaned
        try:
            cleaned["answer"], cleaned["other_text"] = read_answer(answer, text, danger, as_typed=as_typed)
        except DangerMissing as error:
            self.add_error("danger", error)
            # The words are accepted; only the question on malignancy is open.
            self.data = MultiValueDict(self.data)
            self.data[self.add_prefix("as_typed")] = text.strip()
        except forms.ValidationError as error:
            self.add_error("other_text", error)
            self.suggested = [(code, answer_name(code)) for code in (error.params or {}).get("codes", ())]
            # The hidden field is rendered from the submitted data, so that is what has to change.
            self.data = MultiValueDict(self.data)
            self.data[self.add_prefix("as_typed")] = text.strip()
        return cleaned
