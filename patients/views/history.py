"""What was changed in a record: newest first, with who, when and why."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from patients.access import EVERYONE_IN_THE_CLINIC, is_operator, require_role
from patients.history_words import in_words
from patients.middleware import ClinicRequest
from patients.models import Clinic, Lesion, Member, Patient, RecordChange, Role, Visit

PAGE_LENGTH = 50


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def patient_history(request: ClinicRequest, patient_id: UUID) -> HttpResponse:
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    return _page(request, patient, patient=patient, created_by=patient.created_by)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def visit_history(request: ClinicRequest, visit_id: UUID) -> HttpResponse:
    visit = get_object_or_404(Visit.objects.visible_to(request.member).select_related("patient"), pk=visit_id)
    return _page(request, visit, patient=visit.patient)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def lesion_history(request: ClinicRequest, lesion_id: UUID) -> HttpResponse:
    lesion = get_object_or_404(Lesion.objects.visible_to(request.member).select_related("patient"), pk=lesion_id)
    return _page(request, lesion, patient=lesion.patient, created_by=lesion.created_by)


@require_role(Role.MANAGER, operator=True)
@require_safe
def clinic_history(request: ClinicRequest, clinic_id: UUID) -> HttpResponse:
    return _page(request, get_object_or_404(_visible(request, Clinic.objects.all()), pk=clinic_id))


@require_role(Role.MANAGER, operator=True)
@require_safe
def member_history(request: ClinicRequest, member_id: UUID) -> HttpResponse:
    members = Member.objects.select_related("user")
    return _page(request, get_object_or_404(_visible(request, members), pk=member_id))


def _visible(request: ClinicRequest, rows: Any) -> Any:
    return rows if is_operator(request) else rows.visible_to(request.member)


def _page(
    request: ClinicRequest, record: Any, *, patient: Patient | None = None, created_by: Member | None = None
) -> HttpResponse:
    changes = RecordChange.objects.of(record).select_related("by")
    page = Paginator(changes, PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {
        "record": record,
        "patient": patient,
        "created_by": created_by,
        "entries": in_words(page.object_list),
        "page": page,
        "is_last_page": not page.has_next(),
    }
    return render(request, "patients/history.html", context)
