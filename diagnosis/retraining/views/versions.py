"""The versions of the network, with verdicts, decisions and proposals."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.images.condition_names import condition_name
from diagnosis.retraining.decisions import SecondPersonNeeded, authority_of, decide, may_take_part
from diagnosis.retraining.model_cards import render_card
from diagnosis.retraining.models import VersionProposal
from diagnosis.retraining.proposals import (
    approve,
    decline,
    propose,
    waiting_proposal,
    waiting_proposals,
    why_not_approve,
)
from diagnosis.retraining.version_history import history_pdf
from mlmodel.retraining import Verdict
from mlmodel.taxonomy import BY_CODE
from mlmodel.versions.models import LONGEST_REASON, Decision, ModelVersion, ModelVersionStatus
from mlmodel.versions.serving import active_version, can_serve
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.models import Clinic, User


class DecisionForm(forms.Form):
    """The reason for a decision."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Why?"),
        help_text=gettext_lazy("Stored with the decision. Every clinic here can read it: do not name anyone."),
        error_messages={"required": gettext_lazy("Give the reason in one sentence. It is stored with the decision.")},
    )


class ForceForm(DecisionForm):
    force = forms.BooleanField(
        label=gettext_lazy("Promote it against the gate’s verdict"),
        error_messages={"required": gettext_lazy("Tick the box to promote it against the gate’s verdict.")},
    )


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def versions(request: ClinicRequest) -> HttpResponse:
    """List all versions, newest first, and every decision."""
    active_version()  # registers the shipped version if it is not yet in the database
    context = {
        "versions": ModelVersion.objects.select_related("parent"),
        "decisions": Decision.objects.select_related("version", "replaced", "by__member", "seconded_by__member"),
        "before": _before(active_version()) if _may_decide(request) else None,
        "proposals": waiting_proposals(),
    }
    return render(request, "retraining/versions.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def version(request: ClinicRequest, version_id: int) -> HttpResponse:
    """Show one version with its model card, verdict and decisions, and the form for users who may decide."""
    version_row = get_object_or_404(ModelVersion.objects.select_related("parent"), pk=version_id)
    form_class = _form_for(version_row)
    if request.method == "POST":
        if not _may_decide(request):
            raise PermissionDenied(_("Only %s can decide which network is active here.") % _deciders())
        form = form_class(request.POST) if form_class else None
        if form is not None and form.is_valid() and _decide(request, version_row, form):
            return redirect("version", version_id=version_row.pk)
        if form is None:
            messages.error(request, _("There is nothing to decide about this version now. Check its current state."))
            return redirect("version", version_id=version_row.pk)
        return _page(request, version_row, form, status=400)
    return _page(request, version_row, form_class() if form_class and _may_decide(request) else None)


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def version_history(request: ClinicRequest) -> HttpResponse:
    """Return the version history as a PDF, for printing and filing."""
    name = f"dermascan-networks-{timezone.localdate().isoformat()}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(history_pdf(request), content_type="application/pdf", headers=headers)


def _before(active: ModelVersion) -> ModelVersion | None:
    """Return the version that ``active`` replaced, if it can be served again."""
    newest = Decision.objects.filter(version=active).select_related("replaced").first()
    replaced = newest.replaced if newest else None
    return replaced if replaced is not None and can_serve(replaced) else None


def _may_decide(request: ClinicRequest) -> bool:
    return may_take_part(_user(request))


def _user(request: ClinicRequest) -> User:
    assert isinstance(request.user, User), "require_role requires a signed-in user"
    return request.user


def _deciders() -> str:
    return _("operators") if settings.OPERATORS_DECIDE_ON_VERSIONS else _("dermatologists and operators")


def _form_for(version: ModelVersion) -> type[DecisionForm] | None:
    """Return the form for the decision that is possible now; None if there is none."""
    if version.status == ModelVersionStatus.CANDIDATE:
        if version.verdict == Verdict.REJECT or version.parent_id != active_version().pk:
            return None
        return DecisionForm if version.verdict == Verdict.PROMOTE else ForceForm
    return DecisionForm if version.status == ModelVersionStatus.RETIRED and can_serve(version) else None


def _decide(request: ClinicRequest, version: ModelVersion, form: DecisionForm) -> bool:
    """Carry out the decision if one person is enough, else propose it; return False if neither is possible."""
    user, reason = _user(request), form.cleaned_data["reason"]
    try:
        try:
            decide(version=version, by=user, reason=reason)
        except SecondPersonNeeded:
            propose(version=version, by=user, reason=reason)
            words = _("Proposed. It becomes active once a second person approves it on this page.")
            messages.success(request, words, extra_tags="proposed")
        else:
            messages.success(request, _answers_now(version), extra_tags="now_active")
    except Refused as refused:
        form.add_error(None, refused.as_form_error())
        return False
    return True


def _answers_now(version: ModelVersion) -> str:
    return _("%(version)s is now the active network. Stored photographs are analysed again in the background.") % {
        "version": version
    }


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_POST
@once
def proposal(request: ClinicRequest, version_id: int, proposal_id: UUID) -> HttpResponse:
    """Approve or decline another person's proposal, or withdraw one's own."""
    row = get_object_or_404(VersionProposal, pk=proposal_id)
    if row.version_id != version_id:
        raise Http404
    if not _may_decide(request):
        raise PermissionDenied(_("Only %s can decide which network is active here.") % _deciders())
    try:
        if request.POST.get("answer") == "approve":
            approve(proposal=row, by=_user(request))
            messages.success(request, _answers_now(row.version), extra_tags="now_active")
        elif request.POST.get("answer") == "decline":
            decline(proposal=row, by=_user(request))
            messages.success(request, _("The proposal is closed; nothing has changed."), extra_tags="proposal_closed")
        else:
            messages.error(request, _("Choose whether to approve the proposal or to decline it."))
    except Refused as refused:
        messages.error(request, refused.message, extra_tags=refused.code)
    return redirect("version", version_id=version_id)


def _page(
    request: ClinicRequest, version: ModelVersion, form: DecisionForm | None, *, status: int = 200
) -> HttpResponse:
    judgement = version.judgement or {}
    waiting = waiting_proposal(version)
    if waiting is not None:
        # The proposal replaces the form; errors of a form that was sent meanwhile become messages.
        for error in form.non_field_errors().as_data() if form else ():
            messages.error(request, error.messages[0], extra_tags=error.code or "")
        form = None
    context: dict[str, Any] = {
        "version": version,
        "active": active_version(),
        "card": render_card(version.card),
        "reasons": judgement.get("reasons", []),
        "tests": [
            (title, comparison_rows(judgement[name]), judgement[name])
            for name, title in (
                ("base", _("Base held-out test set")),
                ("clinic", _("The clinic’s own held-out test set")),
            )
            if judgement.get(name)
        ],
        "labels_needed": judgement.get("labels_needed"),
        "decisions": version.decisions.select_related("by__member", "seconded_by__member", "replaced"),
        "proposal": waiting,
        "why_not_approve": why_not_approve(waiting, by=_user(request)) if waiting else "",
        "may_decide": _may_decide(request),
        "authority": authority_of(_user(request), version).value,
        "form": form,
        "clinics": Clinic.objects.count(),
        "is_candidate": version.status == ModelVersionStatus.CANDIDATE,
    }
    return render(request, "retraining/version.html", context, status=status)


def comparison_rows(comparison: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    """Return the figures of one test set that the gate compared, with their labels."""
    labels = {
        "balanced_accuracy": _("Balanced accuracy"),
        "melanoma_sensitivity": _("Melanoma sensitivity at the operating point"),
        "calibration_error": _("Expected calibration error"),
    }
    rows = [(label, comparison[name]) for name, label in labels.items() if comparison.get(name)]
    recalls = comparison.get("recall", {})
    return rows + [(_("Recall: %s") % condition_name(BY_CODE[code]), change) for code, change in recalls.items()]
