"""What people may send about photographs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import ExclusionReason, Image, QualityOverride
from diagnosis.images.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS, MixChoice
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


class ExclusionForm(forms.Form):
    """What is wrong with a photograph's place in the record, and where it belongs if that is at the same visit."""

    reason = forms.ChoiceField(
        choices=ExclusionReason.choices,
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
        if cleaned.get("lesion") and cleaned.get("reason") not in (None, ExclusionReason.OTHER_LESION):
            self.add_error("lesion", _("Only a photograph of another lesion of this patient can be added there."))
        return cleaned


class OverrideForm(forms.ModelForm):
    class Meta:
        model = QualityOverride
        fields = ["reason"]
        labels = {"reason": _("Why is it to be judged all the same?")}
        help_texts = {"reason": _("Kept with the photograph, with your name and the time.")}
        error_messages = {"reason": {"required": _("Say why this photograph is to be judged all the same.")}}
