"""The view that adds an addendum to a signed report."""

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
from diagnosis.reports.errors import NotSigned
from diagnosis.reports.forms import AddendumForm
from diagnosis.reports.models import Report
from diagnosis.reports.validity import unreported_changes_of
from diagnosis.reports.views.signing import notice_status, reach_code
from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.contradictions import contradictions_at
from patients.access import require_role
from patients.middleware import MemberRequest
from patients.models import Role, Visit
from patients.privacy import names_the_patient


@require_role(Role.DERMATOLOGIST)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once(in_one_transaction=False)
def add(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    visits = Visit.objects.visible_to(request.member).select_related("patient")
    visit = get_object_or_404(visits, pk=visit_id)
    reports = Report.objects.visible_to(request.member).filter(visit=visit)
    report = reports.select_related("visit__patient__clinic", "visit__patient__user").first()
    if report is None:
        words = _("This visit is not signed yet. Edit the visit instead.")
        messages.error(request, words, extra_tags=NotSigned.code)
        return redirect(visit)
    if request.method != "POST":
        return _page(request, report)
    form = AddendumForm(request.POST, asks_about_plan=_was_asked_about_plan(request, report))
    if form.is_valid():
        try:
            sign_addendum(report=report, by=request.member, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.as_form_error())
        else:
            code, words = _signed_message(report)
            messages.success(request, words, extra_tags=f"addendum_signed {code}")
            return redirect(visit)
    return _page(request, report, form)


def _was_asked_about_plan(request: MemberRequest, report: Report) -> bool:
    """Whether the submitted page asked about the plan; a stale page is refused on signing."""
    draft = draft_addendum(report=report)
    return request.POST.get("seen") == draft.fingerprint and bool(plan_to_ask_about(report, draft.content))


def _page(request: MemberRequest, report: Report, refused: AddendumForm | None = None) -> HttpResponse:
    draft = draft_addendum(report=report)
    note_seen(request.member, report.visit.images.in_use())
    plan = plan_to_ask_about(report, draft.content)
    if refused:
        form = refused
        form.fields["replaces_plan"].required = bool(plan)
        # The typed text stays; the draft shown, which is signed next, is the current one.
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


def _signed_message(report: Report) -> tuple[str, str]:
    """Return who can read the addendum, as a code and in words."""
    message = _("The addendum is signed.")
    if unreported_changes_of(report).shows_other_patient:
        words = _("The report shows another patient, so this patient cannot read it. Log and sign a new visit.")
        return "shows_other_patient", f"{message} {words}"
    if report.withholdings.standing().exists():
        words = _(
            "The report is withheld, so the patient can read neither it nor the addendum until you release it again."
        )
        return "withheld", f"{message} {words}"
    report.refresh_from_db(fields=["released_at"])
    if report.released_at:
        return f"patient_reads_now {reach_code(report)}", f"{message} {notice_status(report)}"
    return "patient_reads_once_released", f"{message} {_('The patient can read it once the report is released.')}"
