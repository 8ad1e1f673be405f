from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from dermascan.core.once import once
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.forms import VisitForm
from patients.middleware import MemberRequest
from patients.models import Patient, Visit
from patients.services import VisitIsClosed, log_visit, update_visit


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
def visit_new(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    form = VisitForm(request.POST or None, instance=Visit(patient=patient), patient=patient, member=request.member)
    if request.method == "POST" and form.is_valid():
        visit = log_visit(patient=patient, by=request.member, **form.cleaned_data)
        messages.success(request, _("The visit is logged. Next: add photographs."))
        return redirect(visit)
    return render(request, "patients/visit_form.html", {"form": form, "patient": patient})


@require_role(*EVERYONE_IN_THE_CLINIC)
def visit_edit(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    visits = Visit.objects.visible_to(request.member).select_related("patient")
    visit = get_object_or_404(visits, pk=visit_id)
    if not visit.is_open and not request.POST:
        messages.error(request, str(VisitIsClosed(visit)), extra_tags=VisitIsClosed.code)
        return redirect(visit)
    form = VisitForm(request.POST or None, instance=visit, patient=visit.patient, member=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            update_visit(visit=visit, by=request.member, made_from=form.made_from, **form.cleaned_data)
        except VisitIsClosed as closed:
            form.add_error(None, closed.as_form_error())
            form.is_closed = True
        except ChangedMeanwhile as changed:
            form = VisitForm(  # shows the differences
                request.POST, instance=changed.record, patient=visit.patient, member=request.member
            )
        else:
            messages.success(request, _("The visit is saved."))
            return redirect(visit)
    context = {"form": form, "patient": visit.patient, "visit": visit}
    return render(request, "patients/visit_form.html", context, status=form.status)
