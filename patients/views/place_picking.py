"""The body map in the form of a lesion: a point on it proposes body site and side, and becomes the lesion's place."""

from typing import Any

from patients.body_map.drawing import draw, is_drawn_as_child
from patients.body_map.views import SHEETS
from patients.forms import LesionForm
from patients.middleware import MemberRequest
from patients.models import Lesion, Member, Patient
from patients.placement_forms import NewPlacementForm
from patients.services.placements import place_lesion


def picked_place(request: MemberRequest, patient: Patient) -> NewPlacementForm:
    return NewPlacementForm(request.POST or None, is_child=is_drawn_as_child(patient))


def fits(picked: NewPlacementForm, form: LesionForm) -> bool:
    """Return whether the point, if there is one, belongs to the chosen side; if not, the lesion's form says why."""
    is_fit = picked.is_valid() and picked.refuse_if_it_does_not_fit(
        body_site=form.cleaned_data["body_site"], side=form.cleaned_data["side"]
    )
    if not is_fit:
        for errors in picked.errors.as_data().values():
            form.add_error(None, errors)
    return is_fit


def keep_place(picked: NewPlacementForm, *, lesion: Lesion, by: Member) -> None:
    """Set the lesion's pin where the form was clicked, if it was."""
    if picked.is_chosen:
        place = picked.place
        place_lesion(lesion=lesion, by=by, view=place.view, x=place.x, y=place.y)


def map_of(request: MemberRequest, picked: NewPlacementForm) -> dict[str, Any]:
    """Return what the form's template needs to show the map: every view, since a script switches between them."""
    is_child = str(picked["drawing"].value()) == "child"
    return {
        "picked": picked,
        "map_sheets": [(sheet, [draw(view, is_child=is_child) for view in views]) for sheet, views in SHEETS.items()],
        "is_child": is_child,
        "is_picker": True,
    }
