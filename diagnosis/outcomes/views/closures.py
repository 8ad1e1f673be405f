"""Close a lesion that is no longer followed, and reopen it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.outcomes.closures import close_lesion, reopen_lesion
from diagnosis.outcomes.errors import LesionIsClosed, LesionIsOpen
from diagnosis.outcomes.forms import ClosureForm, ReasonForm
from diagnosis.outcomes.states import outcome_of
from patients.access import require_role
from patients.middleware import MemberRequest
from patients.models import Lesion, Role


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def lesion_close(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    lesion = _find(request, lesion_id)
    if outcome_of(lesion).closure and request.method != "POST":
        messages.info(request, str(LesionIsClosed()), extra_tags=LesionIsClosed.code)
        return redirect(lesion)
    done = _("The lesion is closed. It can be reopened at any time.")
    return _answer(request, lesion, ClosureForm, close_lesion, "outcomes/lesion_close.html", done)


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def lesion_reopen(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    lesion = _find(request, lesion_id)
    if outcome_of(lesion).closure is None and request.method != "POST":
        messages.info(request, str(LesionIsOpen()), extra_tags=LesionIsOpen.code)
        return redirect(lesion)
    done = _("The lesion is reopened and followed again.")
    return _answer(request, lesion, ReasonForm, reopen_lesion, "outcomes/lesion_reopen.html", done)


def _answer(
    request: MemberRequest,
    lesion: Lesion,
    form_class: type[ClosureForm | ReasonForm],
    transition: Callable[..., Any],
    template: str,
    done: str,
) -> HttpResponse:
    """Show the form of a transition of the lesion; POST carries it out."""
    outcome = outcome_of(lesion)
    form = form_class(request.POST if request.method == "POST" else None, initial={"made_from": outcome.token})
    if form.is_valid():
        try:
            transition(lesion=lesion, by=request.member, **form.cleaned_data)
            messages.success(request, done)
            return redirect(lesion)
        except Refused as error:
            form.refuse(error, lesion=lesion)
    context = {"form": form, "lesion": lesion, "patient": lesion.patient, "outcome": outcome}
    return render(request, template, context, status=form.status)


def _find(request: MemberRequest, lesion_id: UUID) -> Lesion:
    lesions = Lesion.objects.visible_to(request.member).select_related("patient__clinic")
    return get_object_or_404(lesions, pk=lesion_id)
