"""What people may send about photographs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.models import Certainty, QualityOverride, Review
from diagnosis.models.measurement import NARROWEST_MM, WIDEST_MM, PictureScale
from diagnosis.presentation import condition_name
from mlmodel.taxonomy import CONDITIONS
from patients.models import Lesion, Visit


class LesionForm(forms.Form):
    """Which lesion the photographs show. The files themselves are read one by one: one may fail, the others go on."""

    lesion = forms.ModelChoiceField(
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


class OverrideForm(forms.ModelForm):
    class Meta:
        model = QualityOverride
        fields = ["reason"]
        labels = {"reason": _("Why is it to be judged all the same?")}
        help_texts = {"reason": _("Kept with the photograph, with your name and the time.")}
        error_messages = {"reason": {"required": _("Say why this photograph is to be judged all the same.")}}


class ScaleForm(forms.ModelForm):
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["width_mm"].widget.attrs.update({"min": NARROWEST_MM, "max": WIDEST_MM, "step": "0.1"})


class ReviewForm(forms.ModelForm):
    class Meta:
        model = Review
        fields = ["code", "certainty", "reason"]
        labels = {"code": _("What is it?"), "certainty": _("How sure are you?"), "reason": _("Why?")}
        help_texts = {"reason": _("What decides it: dermatoscopy, histopathology, follow-up.")}
        widgets = {"certainty": forms.RadioSelect, "reason": forms.Textarea(attrs={"rows": 3})}
        error_messages = {
            "code": {"required": _("Choose what it is.")},
            "certainty": {"required": _("Say how sure you are.")},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Nothing is chosen beforehand: a label that is two clicks away is no opinion.
        super().__init__(*args, **kwargs)
        code, certainty = self.fields["code"], self.fields["certainty"]
        assert isinstance(code, forms.ChoiceField)
        assert isinstance(certainty, forms.ChoiceField)
        code.choices = [("", _("Choose…")), *((condition.code, condition_name(condition)) for condition in CONDITIONS)]
        certainty.choices = Certainty.choices
