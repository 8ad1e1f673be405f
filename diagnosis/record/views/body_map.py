"""The body map of a patient, and the page that sets a lesion's pin on it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dermascan.core.once import once
from diagnosis.assessment.findings import excluded_findings
from diagnosis.assessment.photographs import answers_told, lesion_cards
from diagnosis.images.models import Image
from diagnosis.record.lesion_pins import LesionOnMap, PinState, by_body_region, lesions_on_map
from diagnosis.reviews.blinding import note_seen
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.body_map.child import shown_at
from patients.body_map.drawing import Mark, counts_by_sheet, draw, is_drawn_as_child
from patients.body_map.views import SHEET_OF, SHEETS, Sheet
from patients.edits import ChangedMeanwhile
from patients.middleware import ClinicRequest, MemberRequest
from patients.models import Lesion, MapView, Member, Patient
from patients.placement_forms import PlacementForm
from patients.services import PlaceRefused, newest_placement, pin_places, place_lesion


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def body_map(request: ClinicRequest, patient_id: UUID) -> HttpResponse:
    """The patient's lesions as a list and as pins; ``?sheet=`` chooses drawings, ``?view=&region=`` enlarges one."""
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    lesions = on_map(patient, shown_to=request.member)
    marks = [each.mark for each in lesions]
    context = {
        "patient": patient,
        "lesions": lesions,
        "body_regions": by_body_region(lesions),
        "states": [(state, sum(each.state is state for each in lesions)) for state in PinState],
        **drawings(marks, patient=patient, sheet=request.GET.get("sheet"), **_enlarged(request)),
    }
    return render(request, "record/body_map.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
def lesion_place(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    """Set where a lesion's pin stands."""
    lesion = get_object_or_404(Lesion.objects.visible_to(request.member).select_related("patient"), pk=lesion_id)
    form = _form(request, lesion)
    if request.method == "POST" and form.is_valid():
        place = form.place
        after = form.newest.number if form.newest else 0
        try:
            place_lesion(lesion=lesion, by=request.member, view=place.view, x=place.x, y=place.y, after=after)
        except PlaceRefused as refused:
            form.add_error(None, refused.as_form_error())
        except ChangedMeanwhile:
            form = _form(request, lesion)  # shows the differences
        else:
            messages.success(request, _("The place of %(lesion)s is set.") % {"lesion": lesion})
            return redirect(f"{reverse('body-map', args=[lesion.patient_id])}?sheet={SHEET_OF[place.view]}")
    lesions = on_map(lesion.patient, shown_to=request.member)
    own = next(each for each in lesions if each.lesion.pk == lesion.pk)
    marks = [each.mark for each in lesions if each is not own]
    sheet = request.GET.get("sheet") or SHEET_OF[own.mark.place.view]
    context = {
        "form": form,
        "lesion": lesion,
        "patient": lesion.patient,
        "own": own,
        "is_picker": True,
        **drawings(
            [*marks, replace(own.mark, is_chosen=True)], patient=lesion.patient, sheet=sheet, **_enlarged(request)
        ),
    }
    return render(request, "record/lesion_place.html", context, status=form.status)


def on_map(patient: Patient, *, shown_to: Member | None) -> list[LesionOnMap]:
    """Return the patient's lesions with their pins, whose states tell the answers to their photographs."""
    missed = excluded_findings(Image.objects.filter(visit__patient=patient))
    cards = lesion_cards(patient, reader=shown_to)
    note_seen(shown_to, answers_told(cards))
    return lesions_on_map(patient, cards=cards, missed=missed)


def drawings(
    marks: list[Mark], *, patient: Patient, sheet: str | None = None, view: str = "", region: str = ""
) -> dict[str, Any]:
    """Return what the templates of the map show: the views of a sheet, or one of them enlarged."""
    is_child = is_drawn_as_child(patient)
    one = MapView(view) if view in MapView.values else None
    chosen = SHEET_OF[one] if one else Sheet(sheet) if sheet in Sheet.values else Sheet.BODY
    counts = counts_by_sheet(marks)
    return {
        "sheet": chosen,
        "sheets": [(each, counts[each]) for each in Sheet],
        "is_child": is_child,
        "views": [
            draw(each, marks, is_child=is_child, zoom=region if one else "")
            for each in ([one] if one else SHEETS[chosen])
        ],
        "is_enlarged": one is not None,
    }


def _enlarged(request: ClinicRequest) -> dict[str, str]:
    return {"view": request.GET.get("view", ""), "region": request.GET.get("region", "")}


def _form(request: MemberRequest, lesion: Lesion) -> PlacementForm:
    newest = newest_placement(lesion)
    current = pin_places([lesion])[lesion.pk]
    is_child = is_drawn_as_child(lesion.patient)
    shown = None
    if current.placement is not None:
        view = current.place.view
        x, y = shown_at(view, (current.place.x, current.place.y), is_child=is_child)
        shown = (str(view.value), round(x), round(y))
    return PlacementForm(request.POST or None, newest=newest, shown=shown, is_child=is_child)
