"""The form that states how wide a photograph is."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.measures.models import NARROWEST_MM, WIDEST_MM, PictureScale
from patients.edit_forms import EditForm


class ScaleForm(EditForm, forms.ModelForm):
    """States the width. Every width is stored and the newest counts, so a stale page could override a colleague's."""

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
