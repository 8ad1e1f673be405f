"""The page of a clinic's thresholds and class mix: current settings, alternatives with their costs, and history."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.assessment.class_mix import LEAST_LESIONS, own_mix_of
from diagnosis.assessment.forms import AnswerSettingsForm
from diagnosis.assessment.threshold_options import FEWEST_ANSWERS, options_for
from diagnosis.assessment.thresholds import ChosenMeanwhile, ThresholdsReasonMissing, choose_answer_settings, levels_of
from diagnosis.images.clinic_analysers import levels_here, newest_settings
from diagnosis.images.condition_names import condition_name
from diagnosis.images.models import AnswerSettings
from diagnosis.images.models.answer_settings import MixChoice
from mlmodel.network.threshold_levels import UrgentLevel, WatchLevel
from mlmodel.taxonomy import BY_CODE
from mlmodel.versions.serving import now_serving
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest

MOST_SHOWN = 20


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def thresholds(request: MemberRequest) -> HttpResponse:
    """Show the settings to everyone in the clinic; only dermatologists may change them."""
    if request.method != "POST":
        return _page(request, None)
    if not request.member.is_dermatologist:
        raise PermissionDenied(_("Only dermatologists can change how their clinic reads answers."))
    form = AnswerSettingsForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        choose_answer_settings(
            by=request.member,
            watch=WatchLevel(form.cleaned_data["watch"]),
            urgent=UrgentLevel(form.cleaned_data["urgent"]),
            mix=MixChoice(form.cleaned_data["mix"]),
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"] or 0,
        )
    except ChosenMeanwhile as refused:
        form.add_error(None, refused.as_form_error())
        return _page(request, form, status=409)
    except Refused as refused:
        form.add_error("reason" if isinstance(refused, ThresholdsReasonMissing) else None, refused.as_form_error())
        return _page(request, form)
    messages.success(
        request, _("Settings saved. They apply from the next photograph on; earlier answers stay as they are.")
    )
    return redirect("thresholds")


def _page(request: MemberRequest, form: AnswerSettingsForm | None, *, status: int = 422) -> HttpResponse:
    member = request.member
    serving, newest = now_serving(), newest_settings(member.clinic_id)
    levels = levels_here(serving.analyser)
    own = own_mix_of(member.clinic, serving.version, serving.analyser)
    watch, urgent = levels_of(newest)
    number, mix = newest.number if newest else 0, MixChoice.KEPT if newest and newest.class_mix else MixChoice.RELEASED
    now = {"watch": watch.value, "urgent": urgent.value, "mix": mix.value}
    context: dict[str, Any] = {
        "form": form or AnswerSettingsForm(initial={**now, "seen": number}),
        "number": number,
        "now": now,
        "options": options_for(member.clinic, serving.version, serving.analyser, levels) if levels else None,
        "points": levels.points(watch, urgent) if levels else serving.analyser.released_points,
        "own": own,
        "own_shares": [
            (condition_name(BY_CODE[code]), *(100 * share for share in shares)) for code, shares in own.shares.items()
        ],
        "mixes": [
            choice
            for choice in MixChoice
            if choice is MixChoice.RELEASED
            or (choice is MixChoice.KEPT and mix is MixChoice.KEPT)
            or (choice is MixChoice.OWN and own.is_offered)
        ],
        "least_lesions": LEAST_LESIONS,
        "fewest_answers": FEWEST_ANSWERS,
        "version": serving.version,
        "may_choose": member.is_dermatologist,
        "choices": AnswerSettings.objects.visible_to(member).select_related("member__user")[:MOST_SHOWN],
    }
    return render(request, "assessment/thresholds.html", context, status=status if form else 200)
