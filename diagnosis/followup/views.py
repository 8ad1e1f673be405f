"""State, complete and cancel the plan of a lesion."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.followup.errors import PlanChangedMeanwhile
from diagnosis.followup.forms import CancelPlanForm, NextStepForm
from diagnosis.followup.models import LesionPlan
from diagnosis.followup.services import cancel_plan, complete_plan, may_state, standing_plan, state_plan
from diagnosis.followup.step_words import plan_in_words
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.models import Lesion, Role, VisitStatus


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def lesion_plan(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    """State the lesion's next step. An open visit at which it was photographed is noted with it."""
    lesions = Lesion.objects.visible_to(request.member).select_related("patient__clinic")
    lesion = get_object_or_404(lesions, pk=lesion_id)
    standing = standing_plan(lesion)
    form = NextStepForm(request.POST if request.method == "POST" else None, by=request.member, standing=standing)
    if request.method != "POST":
        return _plan_page(request, lesion, form)
    if not form.is_valid():
        return _plan_page(request, lesion, form, status=422)
    data = form.cleaned_data
    visit = lesion.patient.visits.filter(status=VisitStatus.OPEN, images__lesion=lesion).first()
    try:
        plan = state_plan(
            lesion=lesion,
            by=request.member,
            step=data["step"],
            due_on=data["due_on"],
            note=data["note"],
            visit=visit,
            seen=data["seen"],
        )
    except PlanChangedMeanwhile as refused:
        form = NextStepForm({**request.POST.dict(), "seen": _key(lesion)}, by=request.member, standing=standing)
        form.add_error(None, refused.as_form_error())
        return _plan_page(request, lesion, form, status=409)
    except Refused as refused:
        form.add_error(None, refused.as_form_error())
        return _plan_page(request, lesion, form, status=422)
    messages.success(request, _("Planned: %(plan)s.") % {"plan": plan_in_words(plan)}, extra_tags="planned")
    return redirect(f"{lesion.get_absolute_url()}#plan")


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def done(request: MemberRequest, plan_id: UUID) -> HttpResponse:
    plan = get_object_or_404(_plans_of(request), pk=plan_id)
    try:
        following = complete_plan(plan=plan, by=request.member)
    except Refused as refused:
        messages.error(request, refused.message, extra_tags=refused.code)
    else:
        if following:
            messages.success(request, _("Done. Next: %(plan)s.") % {"plan": plan_in_words(following)})
        else:
            messages.success(request, _("Done. The lesion has no plan now: state the next step if there is one."))
    return redirect(f"{plan.lesion.get_absolute_url()}#plan")


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def cancel(request: MemberRequest, plan_id: UUID) -> HttpResponse:
    plan = get_object_or_404(_plans_of(request), pk=plan_id)
    form = CancelPlanForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _cancel_page(request, plan, form)
    try:
        cancel_plan(plan=plan, by=request.member, reason=form.cleaned_data["reason"])
    except Refused as refused:
        form.add_error("reason", refused.as_form_error())
        return _cancel_page(request, plan, form)
    messages.success(request, _("The plan is cancelled. The lesion has no plan now."))
    return redirect(f"{plan.lesion.get_absolute_url()}#plan")


def _plan_page(request: MemberRequest, lesion: Lesion, form: NextStepForm, *, status: int = 200) -> HttpResponse:
    standing = standing_plan(lesion)
    context = {
        "form": form,
        "lesion": lesion,
        "patient": lesion.patient,
        "standing": standing,
        "is_for_a_dermatologist": standing is not None and not may_state(request.member, standing.step),
    }
    return render(request, "followup/plan_form.html", context, status=status)


def _cancel_page(request: MemberRequest, plan: LesionPlan, form: CancelPlanForm) -> HttpResponse:
    context = {"form": form, "plan": plan, "lesion": plan.lesion, "patient": plan.lesion.patient}
    return render(request, "followup/plan_cancel.html", context, status=422 if form.is_bound else 200)


def _plans_of(request: MemberRequest) -> QuerySet[LesionPlan]:
    return LesionPlan.objects.visible_to(request.member).select_related("lesion__patient__clinic")


def _key(lesion: Lesion) -> str:
    standing = standing_plan(lesion)
    return str(standing.pk) if standing else ""
