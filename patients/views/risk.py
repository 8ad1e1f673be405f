"""Edit, in place or on a page, what is known of a patient's risk and what they report of a lesion."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.edits import ChangedMeanwhile
from patients.lesion_symptom_rows import symptoms_row
from patients.middleware import MemberRequest
from patients.models import Lesion, Patient, Visit
from patients.risk_forms import RiskForm, SymptomsForm
from patients.services import VisitIsClosed, record_risk, record_symptoms


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
def patient_risk(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    """Show and save the risk form; ``?shown`` returns the banner, for leaving the form in place."""
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    back = _way_back(request, patient.get_absolute_url())
    if request.htmx and "shown" in request.GET:
        return _fragment(request, "patients/includes/risk_banner.html", {"patient": patient, "risk_back": back})
    form = RiskForm(request.POST or None, patient=patient)
    if request.method == "POST" and form.is_valid():
        try:
            record_risk(
                patient=patient,
                by=request.member,
                statements=form.statements,
                skin_type=form.skin_type_chosen,
                made_from=form.made_from,
            )
        except ChangedMeanwhile:
            patient.refresh_from_db()
            form = RiskForm(request.POST, patient=patient)  # shows the differences
        else:
            if request.htmx:
                patient.refresh_from_db()
                context = {"patient": patient, "risk_back": back, "is_just_saved": True}
                return _fragment(request, "patients/includes/risk_banner.html", context)
            messages.success(request, _("What is known of the patient’s risk is saved."))
            return redirect(back)
    return _form(request, form, "risk", {"patient": patient, "back": back})


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
def lesion_symptoms(request: MemberRequest, visit_id: UUID, lesion_id: UUID) -> HttpResponse:
    """Show and save the symptoms of one lesion at one open visit; ``?shown`` returns them without the form."""
    visit = get_object_or_404(Visit.objects.visible_to(request.member).select_related("patient"), pk=visit_id)
    lesion = get_object_or_404(
        Lesion.objects.visible_to(request.member).filter(patient=visit.patient_id), pk=lesion_id
    )
    back = _way_back(request, visit.get_absolute_url())
    context = {"patient": visit.patient, "visit": visit, "lesion": lesion, "back": back}
    row = {"row": symptoms_row(visit, lesion), "symptoms_back": back}
    if request.htmx and "shown" in request.GET:
        return _fragment(request, "patients/includes/symptoms_row.html", row)
    if not visit.is_open and not request.POST:
        messages.error(request, str(VisitIsClosed()), extra_tags=VisitIsClosed.code)
        return redirect(visit)
    form = SymptomsForm(request.POST or None, visit=visit, lesion=lesion)
    if request.method == "POST" and form.is_valid():
        try:
            record_symptoms(
                visit=visit, lesion=lesion, by=request.member, made_from=form.made_from, **form.cleaned_data
            )
        except VisitIsClosed as closed:
            form.add_error(None, closed.as_form_error())
            form.is_closed = True
        except ChangedMeanwhile:
            form = SymptomsForm(request.POST, visit=visit, lesion=lesion)  # shows the differences
        else:
            if request.htmx:
                row = {"row": symptoms_row(visit, lesion), "symptoms_back": back, "is_just_saved": True}
                return _fragment(request, "patients/includes/symptoms_row.html", row)
            messages.success(request, _("The symptoms of %(lesion)s are saved.") % {"lesion": lesion})
            return redirect(back)
    return _form(request, form, "symptoms", {**context, "row": row["row"]})


def _form(request: MemberRequest, form: Any, name: str, context: dict[str, Any]) -> HttpResponse:
    """Return the form for its place in the page or, without JavaScript, a page of its own."""
    if not request.htmx:
        return render(request, f"patients/{name}_form.html", {"form": form, **context}, status=form.status)
    # htmx shows the errors of a 422 only.
    return _fragment(
        request, f"patients/includes/{name}_form.html", {"form": form, **context}, status=422 if form.errors else 200
    )


def _fragment(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _way_back(request: HttpRequest, otherwise: str) -> str:
    """Return the page from which the form was opened, if it is one of ours."""
    back = request.POST.get("back") or request.GET.get("back") or ""
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if is_ours and back.startswith("/") else otherwise
