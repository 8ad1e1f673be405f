"""Views that check and sign a visit, and release or withhold its report."""

import json
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.assessment.findings import excluded_findings_at
from diagnosis.assessment.photographs import excluded_among
from diagnosis.followup.errors import PlanChangedMeanwhile
from diagnosis.followup.forms import SigningSteps
from diagnosis.images.models import Image
from diagnosis.measures.services import measure_visit
from diagnosis.reports.drafts import Draft, VisitChanged, draft_report
from diagnosis.reports.errors import AlreadyReleased, NotSigned
from diagnosis.reports.forms import SignForm, WithholdForm
from diagnosis.reports.models import Report
from diagnosis.reports.notices import Reach, reach_of
from diagnosis.reports.report_view import present
from diagnosis.reports.services import needing_a_plan, needing_a_step, preview_report, release_report, sign_visit
from diagnosis.reports.signing_checks import warnings_of
from diagnosis.reports.views.signed import file_response
from diagnosis.reports.withholding import (
    NoteMissing,
    NotReleased,
    NotWithheld,
    WithholdingReasonMissing,
    release_again,
    withhold_report,
)
from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.contradictions import contradictions_at
from patients.access import require_role
from patients.middleware import MemberRequest
from patients.models import Role, Visit
from patients.privacy import names_the_patient
from patients.services.visits import VisitIsClosed

# The most photographs listed whose file is stored elsewhere too.
OTHERS_SHOWN = 12


@require_role(Role.DERMATOLOGIST)
@names_the_patient
@require_http_methods(["GET", "HEAD", "POST"])
@once(in_one_transaction=False)
def sign(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    """Show the draft, then sign it. Submitting the form twice signs once."""
    visit = get_object_or_404(_visits_of(request), pk=visit_id)
    if not visit.is_open:
        messages.info(request, _("This visit is already signed."), extra_tags="already_signed")
        return redirect(visit)
    form = SignForm(request.POST or None, visit=visit)
    if request.method != "POST":
        measure_visit(visit=visit)
        return _check_page(request, visit, None)
    if not form.is_valid():
        return _check_page(request, visit, form, is_stale=form.conflict is not None)
    steps = _steps(request, visit, draft_report(visit=visit))
    if not steps.is_valid():
        return _check_page(request, visit, _with_errors_of(form, steps))
    try:
        report = sign_visit(
            visit=visit,
            by=request.member,
            plan=form.cleaned_data["plan"],
            seen=form.cleaned_data["seen"],
            no_plan_reason=form.cleaned_data["no_plan_reason"],
            checked=request.POST.getlist("checked"),
            next_steps=steps.chosen,
        )
    except VisitIsClosed:
        messages.info(request, _("This visit is already signed."), extra_tags="already_signed")
        return redirect(visit)
    except Refused as refused:
        form.add_error(None, refused.as_form_error())
        is_stale = isinstance(refused, VisitChanged | PlanChangedMeanwhile)
        return _check_page(request, visit, form, is_stale=is_stale)
    if form.cleaned_data["release"] and (pressing := needing_a_plan(visit, json.loads(report.content))):
        words = _(
            "The report is signed but not released. %(lesions)s: malignant, possibly malignant or urgent, so release "
            "it in a separate step. Tell the patient yourself first."
        )
        messages.warning(request, words % {"lesions": ", ".join(pressing)}, extra_tags="report_signed not_released")
    elif form.cleaned_data["release"]:
        _release(request, report)
    else:
        words = _("The report is signed. Release it when the patient may read it.")
        messages.success(request, words, extra_tags="report_signed")
    return redirect(visit)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def release(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    visit, report = _signed(request, visit_id)
    if report is None:
        messages.error(request, _("Sign the visit before you release it."), extra_tags=NotSigned.code)
    else:
        _release(request, report, seen=request.POST.get("seen", ""))
    return redirect(visit)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def withhold(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    """Withhold a released report from its patient."""
    visit, report = _signed(request, visit_id)
    form = WithholdForm(request.POST)
    try:
        if report is None:
            raise NotReleased
        if not form.is_valid():
            raise WithholdingReasonMissing if "reason" in form.errors else NoteMissing
        withhold_report(report=report, by=request.member, **form.cleaned_data)
    except Refused as refused:
        messages.error(request, str(refused), extra_tags=refused.code)
    else:
        words = f"{_('The report is withheld.')} {_withholding_notice_status(report)}"
        messages.success(request, words, extra_tags=f"report_withheld {reach_code(report)}")
    return redirect(visit)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def release_withheld(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    """Release a withheld report to its patient again."""
    visit, report = _signed(request, visit_id)
    try:
        if report is None:
            raise NotWithheld
        release_again(report=report, by=request.member)
    except Refused as refused:
        messages.error(request, str(refused), extra_tags=refused.code)
    else:
        words = f"{_('The report is released again.')} {notice_status(report)}"
        messages.success(request, words, extra_tags=f"report_released {reach_code(report)}")
    return redirect(visit)


@require_role(Role.DERMATOLOGIST)
@names_the_patient
@require_POST
@never_cache
def preview(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    """The PDF as it would be signed, with the plan from the form, marked as a draft."""
    visit = get_object_or_404(_visits_of(request), pk=visit_id)
    form = SignForm(request.POST, visit=visit)
    if not form.is_valid():
        return _check_page(request, visit, form, is_stale=form.conflict is not None)
    steps = _steps(request, visit, draft_report(visit=visit))
    if not steps.is_valid():
        return _check_page(request, visit, _with_errors_of(form, steps))
    try:
        plan = form.cleaned_data["plan"]
        pdf = preview_report(visit=visit, by=request.member, plan=plan, next_steps=steps.chosen)
        note_seen(request.member, visit.images.in_use())
    except VisitIsClosed:
        messages.info(request, _("This visit is already signed."), extra_tags="already_signed")
        return redirect(visit)
    except Refused as refused:
        form.add_error(None, refused.as_form_error())
        return _check_page(request, visit, form)
    return file_response(pdf, name=f"draft-{visit.date.isoformat()}", kind="pdf", is_shown=True)


def _check_page(
    request: MemberRequest, visit: Visit, form: SignForm | None, *, is_stale: bool = False
) -> HttpResponse:
    draft = draft_report(visit=visit)
    note_seen(request.member, visit.images.in_use())
    status = 200 if form is None else 409 if is_stale else 422
    if form is None:
        form = SignForm(visit=visit, initial={"plan": visit.plan, "seen": draft.fingerprint})
    elif is_stale:
        # The typed text stays; the draft shown, which is signed next, is the current one.
        form.data = {**request.POST.dict(), "seen": draft.fingerprint}
    context = {
        "visit": visit,
        "patient": visit.patient,
        "form": form,
        "steps": _steps(request, visit, draft, drops_stale=True),
        "content": present(draft.content),
        "contradictions": contradictions_at(visit),
        "warnings": warnings_of(draft.content),
        "needs_a_plan": needing_a_plan(visit, draft.content),
        "excluded": excluded_among(Image.objects.filter(visit=visit)),
        "excluded_findings": excluded_findings_at(visit),
        "stored_elsewhere": Image.objects.also_stored_elsewhere(visit)
        .select_related("lesion")
        .order_by("lesion__number"),
        "checked": request.POST.getlist("checked"),
        "same_file": list(Image.objects.with_files_of(visit).select_related("lesion__patient")[:OTHERS_SHOWN]),
    }
    return render(request, "reports/sign.html", context, status=status)


def _steps(request: MemberRequest, visit: Visit, draft: Draft, *, drops_stale: bool = False) -> SigningSteps:
    data = request.POST if request.method == "POST" else None
    needed = needing_a_step(visit, draft.content)
    return SigningSteps(data, visit=visit, by=request.member, needed=needed, drops_stale=drops_stale)


def _with_errors_of(form: SignForm, steps: SigningSteps) -> SignForm:
    for error in steps.errors:
        form.add_error(None, error)
    return form


def _release(request: MemberRequest, report: Report, *, seen: str | None = None) -> None:
    try:
        checked = request.POST.getlist("checked")
        report = release_report(report=report, by=request.member, seen=seen, checked=checked)
    except AlreadyReleased as already:
        messages.info(request, str(already), extra_tags=already.code)
    except Refused as refused:
        messages.error(request, str(refused), extra_tags=refused.code)
    else:
        words = f"{_('The report is released.')} {notice_status(report)}"
        messages.success(request, words, extra_tags=f"report_released {reach_code(report)}")


def reach_code(report: Report) -> str:
    """Return the code of how the patient is notified; it goes with ``notice_status``."""
    return f"patient_{reach_of(report.visit.patient)}"


def notice_status(report: Report) -> str:
    """Return how the patient is notified of the release, or what the clinic has to do."""
    patient = report.visit.patient
    reach = reach_of(patient)
    if reach is Reach.NO_ACCOUNT and report.addenda.exists():
        return _("The patient has no account yet. Give them the PDF with its addenda, or create an account for them.")
    if reach is Reach.NO_ACCOUNT:
        return _("The patient has no account yet. Give them the PDF, or create an account for them.")
    if reach is Reach.NO_ADDRESS:
        return _("The patient can read it now. Their account has no e-mail address, so tell them yourself.")
    if reach is Reach.BOUNCES:
        return _("The patient can read it now. E-mails to their address come back: tell them yourself.")
    return _("The patient can read it now. An e-mail to them is waiting to be sent; this page shows when it is sent.")


def _withholding_notice_status(report: Report) -> str:
    reach = reach_of(report.visit.patient)
    if reach is Reach.NO_ACCOUNT:
        return _(
            "The patient has no account, so no e-mail is sent. If they were given the report, tell them that it is "
            "being checked."
        )
    if reach is Reach.NO_ADDRESS:
        return _(
            "The patient can no longer read it. Their account has no e-mail address, so no e-mail is sent: tell them "
            "that it is being checked."
        )
    if reach is Reach.BOUNCES:
        return _(
            "The patient can no longer read it. E-mails to their address come back, so none is sent: tell them that "
            "it is being checked."
        )
    return _(
        "The patient can no longer read it. An e-mail to say that it is being checked is waiting to be sent; this "
        "page shows when it is sent."
    )


def _signed(request: MemberRequest, visit_id: UUID) -> tuple[Visit, Report | None]:
    """The visit, and its report if it is signed."""
    visit = get_object_or_404(_visits_of(request), pk=visit_id)
    return visit, Report.objects.visible_to(request.member).filter(visit=visit).first()


def _visits_of(request: MemberRequest) -> QuerySet[Visit]:
    return Visit.objects.visible_to(request.member).select_related(
        "patient__clinic", "patient__user", "clinician__user"
    )
