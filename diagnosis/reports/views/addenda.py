"""Add to a signed report."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.reports.addenda import draft_addendum, sign_addendum
from diagnosis.reports.addendum_content import (
    changed_lesions_named,
    other_visit_findings,
    plan_to_ask_about,
    present_labels,
)
from diagnosis.reports.forms import AddendumForm
from diagnosis.reports.models import Report
from diagnosis.reports.validity import otherwise_since
from diagnosis.reports.views.signing import notice_status
from diagnosis.reviews.contradictions import contradictions_at
from patients.access import require_role
from patients.middleware import ClinicRequest
from patients.models import Role, Visit


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once(in_one_transaction=False)
def add(request: ClinicRequest, visit_id: UUID) -> HttpResponse:
    visits = Visit.objects.visible_to(request.member).select_related("patient")
    visit = get_object_or_404(visits, pk=visit_id)
    report = (
        Report.objects.visible_to(request.member)
        .select_related("visit__patient__clinic", "visit__patient__user")
        .filter(visit=visit)
    )
    found = report.first()
    if found is None:
        messages.error(request, _("This visit is not signed yet: change the visit itself."))
        return redirect(visit)
    if request.method != "POST":
        return _page(request, found)
    form = AddendumForm(request.POST, asks_about_plan=_was_asked_about_plan(request, found))
    if form.is_valid():
        assert request.member is not None, "require_role lets nobody else in"
        try:
            sign_addendum(report=found, by=request.member, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _signed_message(found))
            return redirect(visit)
    return _page(request, found, form)


def _was_asked_about_plan(request: ClinicRequest, report: Report) -> bool:
    """Whether the page that was sent asked about the plan; of one that is out of date, signing says so first."""
    draft = draft_addendum(report=report)
    return request.POST.get("seen") == draft.fingerprint and bool(plan_to_ask_about(report, draft.content))


def _page(request: ClinicRequest, report: Report, refused: AddendumForm | None = None) -> HttpResponse:
    draft = draft_addendum(report=report)
    plan = plan_to_ask_about(report, draft.content)
    if refused:
        form = refused
        form.fields["replaces_plan"].required = bool(plan)
        # What was typed stays; what is shown, and so what may be signed next, is as it is now.
        form.data = {**request.POST.dict(), "seen": draft.fingerprint}
    else:
        form = AddendumForm(initial={"seen": draft.fingerprint}, asks_about_plan=bool(plan))
    context = {
        "visit": report.visit,
        "patient": report.visit.patient,
        "report": report,
        "labels": present_labels(draft.content),
        "elsewhere": other_visit_findings(draft.content),
        "set_aside": draft.content["set_aside"],
        "plan": plan,
        "named": changed_lesions_named(plan, draft.content),
        "record_since": draft.content["record"],
        "contradictions": contradictions_at(report.visit),
        "is_withheld": report.withholdings.standing().exists(),
        "form": form,
    }
    return render(request, "reports/add_addendum.html", context, status=422 if refused else 200)


def _signed_message(report: Report) -> str:
    signed = _("The addendum is signed.")
    if otherwise_since(report).shows_other_patient:
        words = _("The report shows another patient, so this one does not read it: log a new visit and sign that.")
        return f"{signed} {words}"
    if report.withholdings.standing().exists():
        words = _(
            "The report is withheld, so the patient reads neither it nor the addendum until you release it again."
        )
        return f"{signed} {words}"
    report.refresh_from_db(fields=["released_at"])
    if report.released_at:
        return f"{signed} {notice_status(report)}"
    return f"{signed} {_('The patient reads it when the report is released.')}"
