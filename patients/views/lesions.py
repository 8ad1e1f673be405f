from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from dermascan.core.once import once
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.forms import LesionForm
from patients.middleware import MemberRequest
from patients.models import BodySite, Lesion, Patient, Side, Visit
from patients.services import add_lesion, correct_lesion
from patients.views.place_picking import fits, keep_place, map_of, picked_place


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
def lesion_new(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Add a lesion; ``?visit=`` names the visit to whose upload page to return."""
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    visit = _visit_to_return_to(request, patient)
    form = LesionForm(request.POST or None, instance=_new_lesion(request, patient), patient=patient)
    picked = picked_place(request, patient)
    if request.method == "POST" and form.is_valid() and fits(picked, form):
        lesion = add_lesion(patient=patient, by=request.member, **form.cleaned_data)
        keep_place(picked, lesion=lesion, by=request.member)
        messages.success(request, _("%(lesion)s is added.") % {"lesion": lesion})
        if visit is None:
            return redirect(lesion)
        return redirect(f"{reverse('upload', args=[visit.pk])}?lesion={lesion.pk}")
    return render(
        request,
        "patients/lesion_form.html",
        {"form": form, "patient": patient, "visit": visit, **map_of(request, picked)},
    )


@require_role(*EVERYONE_IN_THE_CLINIC)
def lesion_edit(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    """Correct a lesion's location and details."""
    lesion = get_object_or_404(Lesion.objects.visible_to(request.member).select_related("patient"), pk=lesion_id)
    form = LesionForm(request.POST or None, instance=lesion, patient=lesion.patient)
    picked = picked_place(request, lesion.patient)
    if request.method == "POST" and form.is_valid() and fits(picked, form):
        try:
            with transaction.atomic():
                lesion = correct_lesion(
                    lesion=lesion, by=request.member, made_from=form.made_from, **form.cleaned_data
                )
                keep_place(picked, lesion=lesion, by=request.member)
        except ChangedMeanwhile as changed:
            form = LesionForm(request.POST, instance=changed.record, patient=lesion.patient)  # shows the differences
        else:
            messages.success(request, _("The lesion is corrected. Reports that were already signed are not changed."))
            return redirect(lesion)
    context = {"form": form, "patient": lesion.patient, "lesion": lesion, **map_of(request, picked)}
    return render(request, "patients/lesion_form.html", context, status=form.status)


def _new_lesion(request: MemberRequest, patient: Patient) -> Lesion:
    """Return the lesion that the form begins with; ``?body_site=`` and ``?side=`` come from the body map."""
    site, side = request.GET.get("body_site", ""), request.GET.get("side", "")
    return Lesion(
        patient=patient,
        body_site=site if site in BodySite.values else "",
        side=side if side in Side.values else Side.UNKNOWN,
    )


def _visit_to_return_to(request: MemberRequest, patient: Patient) -> Visit | None:
    """Return the open visit of ``patient`` named in the query string, if any."""
    try:
        visit_id = UUID(request.GET.get("visit", ""))
    except ValueError:
        return None
    visit = Visit.objects.visible_to(request.member).filter(patient=patient, pk=visit_id).first()
    return visit if visit and visit.is_open else None
