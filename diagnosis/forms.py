"""What people may send about photographs."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from diagnosis.answer_fields import DANGERS, NOT_KNOWN, DangerMissing, DiagnosisInput, grouped_answers, read_answer
from diagnosis.answers import FREE_TEXT, OTHER, Basis, Certainty
from diagnosis.models import Image, QualityOverride, Review, SetAsideReason
from diagnosis.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS, MixChoice
from diagnosis.models.measurement import NARROWEST_MM, WIDEST_MM, PictureScale
from diagnosis.review_words import answer_name
from patients.edit_forms import EditForm
from patients.models import Lesion, Visit


class _LesionField(forms.ModelChoiceField):
    """With what is written of each lesion: two at one site are told apart by nothing else."""

    def label_from_instance(self, lesion: Any) -> str:
        return f"{lesion}: {lesion.description}" if lesion.description else str(lesion)


class LesionForm(forms.Form):
    """Which lesion the photographs show. The files themselves are read one by one: one may fail, the others go on."""

    lesion = _LesionField(
        queryset=Lesion.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        label=_("Which lesion do the photographs show?"),
        error_messages={
            "required": _("Choose the lesion that the photographs show."),
            "invalid_choice": _("Choose one of this patient's lesions."),
        },
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["lesion"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = visit.patient.lesions.order_by("number")


class AnswerSettingsForm(forms.Form):
    """How the clinic has answers read, and why."""

    watch = forms.ChoiceField(
        choices=WATCH_LEVELS,
        error_messages={
            "required": _("Choose when a result asks for a dermatologist's look."),
            "invalid_choice": _("Choose one of the levels that are listed."),
        },
    )
    urgent = forms.ChoiceField(
        choices=URGENT_LEVELS,
        error_messages={
            "required": _("Choose when a result is urgent."),
            "invalid_choice": _("Choose one of the levels that are listed."),
        },
    )
    mix = forms.ChoiceField(
        choices=MixChoice.choices,
        error_messages={
            "required": _("Choose for which mix of diagnoses percentages are."),
            "invalid_choice": _("Choose one of the mixes that are listed."),
        },
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("Why?"),
        help_text=_("Kept with the choice and your name; everybody in the clinic reads it."),
        error_messages={"required": _("Say in a sentence why: it is kept with the choice.")},
    )
    # Of the newest choice that the page showed.
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class SetAsideForm(forms.Form):
    """What is wrong with a photograph's place in the record, and where it belongs if that is at the same visit."""

    reason = forms.ChoiceField(
        choices=SetAsideReason.choices,
        widget=forms.RadioSelect,
        label=_("What is wrong with it?"),
        error_messages={"required": _("Say what is wrong with it.")},
    )
    lesion = _LesionField(
        queryset=Lesion.objects.none(),
        required=False,
        empty_label=_("None: only set it aside"),
        label=_("Which lesion is it to be added to?"),
        help_text=_("Only where it shows another lesion. It is judged anew there, and is to be reviewed anew."),
        error_messages={"invalid_choice": _("Choose another one of this patient's lesions.")},
    )
    note = forms.CharField(
        required=False, max_length=300, label=_("Note"), help_text=_("Kept with the photograph, with your name.")
    )

    def __init__(self, *args: Any, image: Image, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = image.visit.patient.lesions.exclude(pk=image.lesion_id).order_by("number")
        if not image.visit.is_open or not others.exists():
            del self.fields["lesion"]  # nothing is added to a visit that is signed
            return
        field = self.fields["lesion"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = others

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("lesion") and cleaned.get("reason") not in (None, SetAsideReason.OTHER_LESION):
            self.add_error("lesion", _("Only a photograph of another lesion of this patient can be added there."))
        return cleaned


class OverrideForm(forms.ModelForm):
    class Meta:
        model = QualityOverride
        fields = ["reason"]
        labels = {"reason": _("Why is it to be judged all the same?")}
        help_texts = {"reason": _("Kept with the photograph, with your name and the time.")}
        error_messages = {"reason": {"required": _("Say why this photograph is to be judged all the same.")}}


class ScaleForm(EditForm, forms.ModelForm):
    """Each width is kept; the newest counts, so one from a stale page would replace a colleague's."""

    edits_a_record = True

    class Meta:
        model = PictureScale
        fields = ["width_mm"]
        labels = {"width_mm": _("Width of the whole picture, in mm")}
        help_texts = {"width_mm": _("From the dermatoscope's data sheet, or from a ruler in the picture.")}
        error_messages = {
            "width_mm": {
                "required": _("Enter the width in millimetres, for example 14.5."),
                "invalid": _("Enter the width in millimetres, for example 14.5."),
            }
        }

    def __init__(self, *args: Any, newest: PictureScale | None, **kwargs: Any) -> None:
        self.newest = newest
        super().__init__(*args, initial={"width_mm": newest.width_mm if newest else None}, **kwargs)
        self.fields["width_mm"].widget.attrs.update({"min": NARROWEST_MM, "max": WIDEST_MM, "step": "0.1"})

    def stored_values(self) -> dict[str, Any]:
        return {"width_mm": self.newest.width_mm} if self.newest else {}

    def edited_record(self) -> PictureScale | None:
        return self.newest


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
