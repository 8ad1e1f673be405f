"""The form that sets a lesion's pin on the body map."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.body_map.child import kept_at
from patients.body_map.views import Place
from patients.edit_forms import EditForm
from patients.models import LesionPlacement, MapView
from patients.models.placement import FRAME
from patients.services.placements import PlaceRefused, ensure_place_fits

ADULT, CHILD = "adult", "child"


class PlacementForm(EditForm, forms.Form):
    """A point of a drawing. Its numbers are those of the drawing that is shown; ``place`` is in an adult's."""

    edits_a_record = True

    view = forms.ChoiceField(
        label=_("Drawing"),
        choices=[("", _("Choose a drawing")), *MapView.choices],
        error_messages={
            "required": _("Choose a point on the map, or a drawing from the list."),
            "invalid_choice": _("Choose a drawing from the list."),
        },
    )
    x = forms.IntegerField(
        label=_("Across, 0 to 1000"),
        min_value=0,
        max_value=FRAME,
        error_messages={
            "required": _("Enter how far from the left edge of the drawing, 0 to 1000."),
            "invalid": _("Enter a whole number from 0 to 1000."),
            "min_value": _("Enter a whole number from 0 to 1000."),
            "max_value": _("Enter a whole number from 0 to 1000."),
        },
    )
    y = forms.IntegerField(
        label=_("Down, 0 to 1000"),
        min_value=0,
        max_value=FRAME,
        error_messages={
            "required": _("Enter how far from the top of the drawing, 0 to 1000."),
            "invalid": _("Enter a whole number from 0 to 1000."),
            "min_value": _("Enter a whole number from 0 to 1000."),
            "max_value": _("Enter a whole number from 0 to 1000."),
        },
    )
    # The page may have been opened on the day before the patient's birthday.
    drawing = forms.ChoiceField(
        choices=[(ADULT, ADULT), (CHILD, CHILD)], required=False, widget=forms.HiddenInput, initial=ADULT
    )

    def __init__(
        self,
        *args: Any,
        newest: LesionPlacement | None,
        shown: tuple[str, int, int] | None,
        is_child: bool,
        **kwargs: Any,
    ) -> None:
        self.newest, self.shown = newest, shown
        initial = dict(zip(("view", "x", "y"), shown, strict=True)) if shown else {}
        super().__init__(*args, initial={**initial, "drawing": CHILD if is_child else ADULT}, **kwargs)

    def stored_values(self) -> dict[str, Any]:
        return dict(zip(("view", "x", "y"), self.shown, strict=True)) if self.newest and self.shown else {}

    def edited_record(self) -> LesionPlacement | None:
        return self.newest

    @property
    def place(self) -> Place:
        """The chosen point in the frame of the drawing of an adult."""
        view = MapView(self.cleaned_data["view"])
        point = (float(self.cleaned_data["x"]), float(self.cleaned_data["y"]))
        x, y = kept_at(view, point, is_child=self.cleaned_data.get("drawing") == CHILD)
        return Place(view, min(max(round(x), 0), FRAME), min(max(round(y), 0), FRAME))


class NewPlacementForm(PlacementForm):
    """The point chosen with a new lesion, or with a correction; it may be left out."""

    edits_a_record = False

    def __init__(self, *args: Any, is_child: bool, **kwargs: Any) -> None:
        super().__init__(*args, newest=None, shown=None, is_child=is_child, prefix="map", **kwargs)
        for name in ("view", "x", "y"):
            self.fields[name].required = False
            self.fields[name].widget = forms.HiddenInput()

    @property
    def is_chosen(self) -> bool:
        return bool(self.cleaned_data.get("view")) and None not in (
            self.cleaned_data.get("x"),
            self.cleaned_data.get("y"),
        )

    def refuse_if_it_does_not_fit(self, *, body_site: str, side: str) -> bool:
        """Return whether the lesion may be stored with this point; if not, the form says why."""
        if not self.is_chosen:
            return True
        place = self.place
        try:
            ensure_place_fits(view=place.view, x=place.x, y=place.y, body_site=body_site, side=side)
        except PlaceRefused as refused:
            self.add_error(None, refused.as_form_error())
            return False
        return True
