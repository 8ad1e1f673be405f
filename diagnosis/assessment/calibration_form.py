"""The form that calibrates a device: how wide its full frame is on the skin."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import DeviceCalibration
from diagnosis.images.models.device import MOST_FRAME_PIXELS, NARROWEST_FRAME_MM, WIDEST_FRAME_MM
from patients.edit_forms import EditForm

_PIXELS = _("Enter whole pixels, for example 4032.")


class CalibrationForm(EditForm, forms.ModelForm):
    """States the width. Every calibration is stored and the newest counts, so a stale page could override it."""

    edits_a_record = True

    class Meta:
        model = DeviceCalibration
        fields = ["width_mm", "frame_width", "frame_height"]
        labels = {
            "width_mm": _("Width of the full frame on the skin, in mm"),
            "frame_width": _("Width of the full frame, in pixels"),
            "frame_height": _("Height of the full frame, in pixels"),
        }
        help_texts = {
            "width_mm": _(
                "Photograph a ruler once, as you photograph lesions, and read off how many millimetres the whole "
                "picture is wide. Or take it from the data sheet of a calibrated lens."
            ),
            "frame_width": _("Of the same photograph, uncropped: its page shows the size."),
        }
        error_messages = {
            "width_mm": {
                "required": _("Enter the width in millimetres, for example 14.5."),
                "invalid": _("Enter the width in millimetres, for example 14.5."),
            },
            "frame_width": {"required": _PIXELS, "invalid": _PIXELS},
            "frame_height": {"required": _PIXELS, "invalid": _PIXELS},
        }

    def __init__(self, *args: Any, newest: DeviceCalibration | None, **kwargs: Any) -> None:
        self.newest = newest
        super().__init__(*args, initial=self._values(), **kwargs)
        self.fields["width_mm"].required = True
        self.fields["width_mm"].widget.attrs.update(
            {"min": NARROWEST_FRAME_MM, "max": WIDEST_FRAME_MM, "step": "0.01"}
        )
        for name in ("frame_width", "frame_height"):
            self.fields[name] = forms.IntegerField(
                min_value=1,
                max_value=MOST_FRAME_PIXELS,
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                error_messages=self.fields[name].error_messages | {"invalid": _PIXELS},
            )

    def _values(self) -> dict[str, Any]:
        names = ("width_mm", "frame_width", "frame_height")
        return {name: getattr(self.newest, name) for name in names} if self.newest else {}

    def stored_values(self) -> dict[str, Any]:
        return self._values()

    def edited_record(self) -> DeviceCalibration | None:
        return self.newest
