"""Where the clinic's tiers begin: what counts now, what else there is and what it costs, and who decided it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from diagnosis.forms import ThresholdForm
from diagnosis.models import ThresholdChoice
from diagnosis.services.errors import Refused
from diagnosis.services.thresholds import ChosenMeanwhile, choose_thresholds, levels_of_choice
from diagnosis.threshold_options import options_for
from diagnosis.thresholds import levels_here, newest_choice
from mlmodel.serving import now_serving
from mlmodel.threshold_levels import UrgentLevel, WatchLevel
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.once import once

MOST_SHOWN = 20


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def thresholds(request: ClinicRequest) -> HttpResponse:
    """Everybody in the clinic sees it; a dermatologist chooses."""
    assert request.member is not None
    if request.method != "POST":
        return _page(request, None)
    if not request.member.is_dermatologist:
        raise PermissionDenied(_("Dermatologists move the thresholds of their clinic."))
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        choose_thresholds(
            by=request.member,
            watch=WatchLevel(form.cleaned_data["watch"]),
            urgent=UrgentLevel(form.cleaned_data["urgent"]),
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"] or 0,
        )
    except ChosenMeanwhile as refused:
        form.add_error(None, refused.message)
        return _page(request, form, status=409)
    except Refused as refused:
        form.add_error("reason" if refused.code == "reason_missing" else None, refused.message)
        return _page(request, form)
    messages.success(request, _("From the next photograph on, results begin there. Earlier ones stay as they are."))
    return redirect("thresholds")


def _page(request: ClinicRequest, form: ThresholdForm | None, *, status: int = 422) -> HttpResponse:
    member = request.member
    assert member is not None
    serving, newest = now_serving(), newest_choice(member.clinic_id)
    levels = levels_here(serving.analyser)
    watch, urgent = levels_of_choice(newest)
    number = newest.number if newest else 0
    context: dict[str, Any] = {
        "form": form or ThresholdForm(initial={"watch": watch.value, "urgent": urgent.value, "seen": number}),
        "number": number,
        "now": {"watch": watch.value, "urgent": urgent.value},
        "options": options_for(member.clinic, serving.version, levels) if levels else None,
        "points": levels.points(watch, urgent) if levels else serving.analyser.released_points,
        "version": serving.version,
        "may_choose": member.is_dermatologist,
        "choices": ThresholdChoice.objects.visible_to(member).select_related("member__user")[:MOST_SHOWN],
    }
    return render(request, "diagnosis/thresholds.html", context, status=status if form else 200)
