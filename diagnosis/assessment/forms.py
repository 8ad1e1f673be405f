"""Forms about photographs: upload, settings, exclusion and override."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import ExclusionReason, Image, QualityOverride
from diagnosis.images.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS, MixChoice
from patients.models import Lesion, Visit


class _LesionField(forms.ModelChoiceField):
    """Shows each lesion's description too, to distinguish two at one site."""

    def label_from_instance(self, lesion: Any) -> str:
        return lesion_label(lesion)


def lesion_label(lesion: Lesion) -> str:
    """Return the lesion as lists of choices name it."""
    return f"{lesion}: {lesion.description}" if lesion.description else str(lesion)


class LesionForm(forms.Form):
    """Chooses the lesion that the photographs show. Files are handled one by one, so that one may fail alone."""

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
    """Chooses the clinic's thresholds and class mix, with the reason."""

    watch = forms.ChoiceField(
        choices=WATCH_LEVELS,
        error_messages={
            "required": _("Choose when a dermatologist should look at it."),
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
            "required": _("Choose the mix of diagnoses that percentages are calculated for."),
            "invalid_choice": _("Choose one of the mixes that are listed."),
        },
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("Why?"),
        help_text=_("Stored with the choice and your name. Everyone in the clinic can read it."),
        error_messages={"required": _("Give the reason in a sentence. It is stored with the choice.")},
    )
    # The number of the newest settings that the page showed.
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class ExclusionForm(forms.Form):
    """States why a photograph is excluded, and the lesion that it belongs to if that is of the same patient."""

    reason = forms.ChoiceField(
        choices=[choice for choice in ExclusionReason.choices if choice[0] != ExclusionReason.VOID_VISIT],
        widget=forms.RadioSelect,
        label=_("What is wrong with it?"),
        error_messages={"required": _("Say what is wrong with it.")},
    )
    lesion = _LesionField(
        queryset=Lesion.objects.none(),
        required=False,
        empty_label=_("None: only exclude it"),
        label=_("Which lesion should it be added to?"),
        help_text=_("Only if it shows another lesion. It is analysed again there and needs a new review."),
        error_messages={"invalid_choice": _("Choose another one of this patient's lesions.")},
    )
    note = forms.CharField(
        required=False, max_length=300, label=_("Note"), help_text=_("Stored with the photograph and your name.")
    )

    def __init__(self, *args: Any, image: Image, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = image.visit.patient.lesions.exclude(pk=image.lesion_id).order_by("number")
        if not image.visit.is_open or not others.exists():
            del self.fields["lesion"]  # nothing can be added to a signed visit
            return
        field = self.fields["lesion"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = others

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("lesion") and cleaned.get("reason") not in (None, ExclusionReason.OTHER_LESION):
            words = _("Only a photograph of another lesion of this patient can be added there.")
            self.add_error("lesion", forms.ValidationError(words, code="not_of_another_lesion"))
        return cleaned


class OverrideForm(forms.ModelForm):
    class Meta:
        model = QualityOverride
        fields = ["reason"]
        labels = {"reason": _("Why should it be analysed anyway?")}
        help_texts = {"reason": _("Stored with the photograph, your name and the time.")}
        error_messages = {"reason": {"required": _("State why this photograph should be analysed anyway.")}}
