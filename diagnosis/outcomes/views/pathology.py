"""Enter, show, confirm and withdraw laboratory results, and hand out their files."""

import logging
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.outcomes.errors import (
    OutcomeNeedsReason,
    ReceivedTooEarly,
    ResultIsWithdrawn,
    SpecimenIsWithdrawn,
    SpecimenNumberTaken,
)
from diagnosis.outcomes.examined import photographs_examined, photographs_proven_worse, photographs_to_label
from diagnosis.outcomes.forms import ReasonForm, ResultForm
from diagnosis.outcomes.models import PathologyResult, Specimen
from diagnosis.outcomes.pathology import confirm_result, enter_result, label_further_photographs, withdraw_result
from diagnosis.outcomes.states import SpecimenHistory, outcome_of
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Role

log = logging.getLogger(__name__)

# The field that a refusal is about.
FIELDS = {SpecimenNumberTaken: "number", ReceivedTooEarly: "received_on", OutcomeNeedsReason: "reason"}


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def pathology_new(request: MemberRequest, specimen_id: UUID) -> HttpResponse:
    """Enter the result of a specimen; an amended one, with the reason, if it has one already."""
    specimens = Specimen.objects.visible_to(request.member).select_related("lesion__patient__clinic", "sent_by__user")
    specimen = get_object_or_404(specimens, pk=specimen_id)
    if specimen.withdrawn_at is not None and request.method != "POST":
        messages.info(request, str(SpecimenIsWithdrawn()), extra_tags=SpecimenIsWithdrawn.code)
        return redirect(specimen.lesion)
    outcome = outcome_of(specimen.lesion)
    history = next((each for each in outcome.specimens if each.specimen.pk == specimen.pk), SpecimenHistory(specimen))
    form = ResultForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        specimen=specimen,
        is_amended=history.newest is not None,
        initial={"made_from": outcome.token},
    )
    if form.is_valid():
        try:
            return redirect(_enter(request, specimen, form))
        except Refused as error:
            form.refuse(error, lesion=specimen.lesion, fields=FIELDS)
    context = {
        "form": form,
        "specimen": specimen,
        "earlier": history.newest,
        "lesion": specimen.lesion,
        "patient": specimen.lesion.patient,
    }
    return render(request, "outcomes/result_form.html", context, status=form.status)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def pathology(request: MemberRequest, result_id: UUID) -> HttpResponse:
    """Show a result: what was reported, whether it counts, and the photographs that it labels."""
    result = _find(request, result_id)
    lesion = result.specimen.lesion
    outcome = outcome_of(lesion)
    histories = (*outcome.specimens, *outcome.withdrawn)
    history = next(each for each in histories if each.specimen.pk == result.specimen_id)
    is_newest = history.newest == result
    context = {
        "result": result,
        "specimen": result.specimen,
        "lesion": lesion,
        "patient": lesion.patient,
        "history": history,
        "is_newest": is_newest,
        "counts": history.counting == result,
        "others": [each for each in history.results if each != result],
        "labelled": result.reviews.filter(review__retraction__isnull=True).count(),
        "may_decide": request.member.is_dermatologist,
    }
    if is_newest and not result.is_withdrawn:
        context |= {
            "to_label": photographs_to_label(result),
            "examined": len(photographs_examined(result.specimen)),
            "proven_worse": photographs_proven_worse(result),
        }
    return render(request, "outcomes/result.html", context)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def pathology_confirm(request: MemberRequest, result_id: UUID) -> HttpResponse:
    """Make a result count; if it does already, record it on the photographs that were added since."""
    result = _find(request, result_id)
    transition = label_further_photographs if result.is_confirmed else confirm_result
    try:
        count = len(transition(result=result, by=request.member))
        words = ngettext(
            "Confirmed. The result is recorded on %(count)d photograph.",
            "Confirmed. The result is recorded on %(count)d photographs.",
            count,
        )
        words = words % {"count": count} if count else _("Confirmed. No photograph was labelled.")
        messages.success(request, words, extra_tags="result_confirmed")
    except Refused as error:
        messages.error(request, str(error), extra_tags=error.code)
    return redirect(result)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def pathology_withdraw(request: MemberRequest, result_id: UUID) -> HttpResponse:
    """Withdraw a result that was entered by mistake."""
    result = _find(request, result_id)
    if request.method != "POST" and result.is_withdrawn:
        messages.info(request, str(ResultIsWithdrawn()), extra_tags=ResultIsWithdrawn.code)
        return redirect(result)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            withdraw_result(result=result, by=request.member, reason=form.cleaned_data["reason"])
            messages.success(request, _("The result is withdrawn. It stays on record with your reason."))
            return redirect(result.specimen.lesion)
        except Refused as error:
            form.refuse(error, lesion=result.specimen.lesion)
    context = {
        "form": form,
        "result": result,
        "specimen": result.specimen,
        "labelled": result.reviews.filter(review__retraction__isnull=True).count(),
        "needs_dermatologist": result.is_confirmed and not request.member.is_dermatologist,
        "lesion": result.specimen.lesion,
        "patient": result.specimen.lesion.patient,
    }
    return render(request, "outcomes/result_withdraw.html", context, status=form.status)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def pathology_file(request: MemberRequest, result_id: UUID) -> HttpResponse:
    """Return the laboratory's report as a download, so that no browser renders it as our page."""
    result = _find(request, result_id)
    if not result.file:
        raise Http404(_("This result has no file."))
    try:
        content = result.file.open("rb")
    except FileNotFoundError as error:
        log.error("The file %s is missing from the storage.", result.file.name)
        raise Http404(_("This file is missing from the storage.")) from error
    response = FileResponse(content, content_type=result.file_type, as_attachment=True, filename=result.file_name)
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    return response  # type: ignore[return-value]


def _enter(request: MemberRequest, specimen: Specimen, form: ResultForm) -> PathologyResult:
    cleaned = form.cleaned_data
    result = enter_result(
        specimen=specimen,
        by=request.member,
        findings=form.findings,
        reason=cleaned.get("reason", ""),
        number=cleaned.get("number", ""),
        file=form.report_file,
        made_from=cleaned["made_from"],
    )
    if request.member.is_dermatologist:
        messages.info(request, _("Entered. Check it, then confirm it below: until then it does not count."))
    else:
        messages.success(request, _("Entered. It counts once a dermatologist has confirmed it."))
    return result


def _find(request: MemberRequest, result_id: UUID) -> PathologyResult:
    results = PathologyResult.objects.visible_to(request.member).select_related(
        "specimen__lesion__patient__clinic",
        "specimen__sent_by__user",
        "entered_by__user",
        "confirmed_by__user",
        "withdrawn_by__user",
    )
    return get_object_or_404(results, pk=result_id)
