"""Add a lesion from the upload page, without leaving the photographs that were chosen there."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from dermascan.core.once import once
from diagnosis.assessment.forms import lesion_label
from diagnosis.assessment.views.problem_json import json_response, problem_body
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.forms import LesionForm
from patients.middleware import MemberRequest
from patients.models import Lesion, Visit
from patients.services import add_lesion
from patients.services.visits import VisitIsClosed


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def upload_lesion(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    """Add a lesion to the patient of an open visit; return its id and name for the script."""
    visits = Visit.objects.visible_to(request.member).select_related("patient")
    visit = get_object_or_404(visits, pk=visit_id)
    if not visit.is_open:
        return json_response(request, problem_body("visit_is_closed", str(VisitIsClosed()), 409), status=409)
    form = LesionForm(request.POST, instance=Lesion(patient=visit.patient), patient=visit.patient)
    if not form.is_valid():
        errors = {name: [str(error) for error in errors] for name, errors in form.errors.items()}
        first = next(iter(errors.values()))[0]
        return json_response(request, {**problem_body("invalid", first, 422), "errors": errors}, status=422)
    lesion = add_lesion(patient=visit.patient, by=request.member, **form.cleaned_data)
    return json_response(request, {"id": str(lesion.pk), "name": lesion_label(lesion)}, status=200)
