"""Every network that this installation knows: what the gate said of it, who decided, and why."""

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

from dermascan.core.once import once
from diagnosis.retraining.decisions import NotAlone, decide, may_take_part, say_of
from diagnosis.retraining.model_cards import render_card
from diagnosis.retraining.models import VersionProposal
from diagnosis.retraining.proposals import (
    ProposalRefused,
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
from mlmodel.versions.models import Decision, ModelVersion, ModelVersionStatus
from mlmodel.versions.promotion import PromotionRefused
from mlmodel.versions.serving import active_version, can_serve
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.models import Clinic, User


class DecisionForm(forms.Form):
    """Why, in the words of whoever decides."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Why?"),
        help_text=gettext_lazy("Kept with the decision, and read by every clinic here: name nobody."),
        error_messages={"required": gettext_lazy("Say why, in a sentence. It is kept with the decision.")},
    )


class ForceForm(DecisionForm):
    force = forms.BooleanField(
        label=gettext_lazy("Promote it although the gate holds it back"),
        error_messages={"required": gettext_lazy("Tick the box if it is to be promoted against the gate’s advice.")},
    )


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def versions(request: ClinicRequest) -> HttpResponse:
    """All of them, the newest first, and every decision."""
    active_version()  # so that the shipped one is on its own list from the start
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
    """One of them: card, judgement, decisions; for whoever may decide, also the way to."""
    found = get_object_or_404(ModelVersion.objects.select_related("parent"), pk=version_id)
    form_class = _form_for(found)
    if request.method == "POST":
        if not _may_decide(request):
            raise PermissionDenied(_("Here, %s decide which network answers.") % _deciders())
        form = form_class(request.POST) if form_class else None
        if form is not None and form.is_valid() and _decide(request, found, form):
            return redirect("version", version_id=found.pk)
        if form is None:
            messages.error(request, _("There is nothing to decide about this version. Look at it again."))
            return redirect("version", version_id=found.pk)
        return _page(request, found, form, status=400)
    return _page(request, found, form_class() if form_class and _may_decide(request) else None)


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def version_history(request: ClinicRequest) -> HttpResponse:
    """The same as a PDF, to be printed and filed."""
    name = f"dermascan-networks-{timezone.localdate().isoformat()}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(history_pdf(request), content_type="application/pdf", headers=headers)


def _before(active: ModelVersion) -> ModelVersion | None:
    """The version that ``active`` took the place of, if it can answer again."""
    newest = Decision.objects.filter(version=active).select_related("replaced").first()
    replaced = newest.replaced if newest else None
    return replaced if replaced is not None and can_serve(replaced) else None


def _may_decide(request: ClinicRequest) -> bool:
    return may_take_part(_user(request))


def _user(request: ClinicRequest) -> User:
    assert isinstance(request.user, User), "the door is passed by who has signed in"
    return request.user


def _deciders() -> str:
    return _("operators") if settings.OPERATORS_DECIDE_ON_VERSIONS else _("dermatologists and operators")


def _form_for(found: ModelVersion) -> type[DecisionForm] | None:
    """What may be decided about a version now; None where nothing may."""
    if found.status == ModelVersionStatus.CANDIDATE:
        if found.verdict == Verdict.REJECT or found.parent_id != active_version().pk:
            return None
        return DecisionForm if found.verdict == Verdict.PROMOTE else ForceForm
    return DecisionForm if found.status == ModelVersionStatus.RETIRED and can_serve(found) else None


def _decide(request: ClinicRequest, found: ModelVersion, form: DecisionForm) -> bool:
    """Decide it where one person's word is enough; else propose it. False where neither could be done."""
    user, reason = _user(request), form.cleaned_data["reason"]
    try:
        try:
            decide(version=found, by=user, reason=reason)
        except NotAlone:
            propose(version=found, by=user, reason=reason)
            messages.success(request, _("Proposed. It answers once a second person has approved it on this page."))
        else:
            messages.success(request, _answers_now(found))
    except (PromotionRefused, ProposalRefused) as refused:
        form.add_error(None, refused.message)
        return False
    return True


def _answers_now(found: ModelVersion) -> str:
    return _("%(version)s answers from now on. The archive is read again in the background.") % {"version": found}


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_POST
@once
def proposal(request: ClinicRequest, version_id: int, proposal_id: UUID) -> HttpResponse:
    """Approve somebody else's proposal, decline it, or withdraw one's own."""
    found = get_object_or_404(VersionProposal, pk=proposal_id)
    if found.version_id != version_id:
        raise Http404
    if not _may_decide(request):
        raise PermissionDenied(_("Here, %s decide which network answers.") % _deciders())
    try:
        if request.POST.get("answer") == "approve":
            approve(proposal=found, by=_user(request))
            messages.success(request, _answers_now(found.version))
        elif request.POST.get("answer") == "decline":
            decline(proposal=found, by=_user(request))
            messages.success(request, _("The proposal is over; nothing has changed."))
        else:
            messages.error(request, _("Choose whether to approve the proposal or to decline it."))
    except (PromotionRefused, ProposalRefused) as refused:
        messages.error(request, refused.message)
    return redirect("version", version_id=version_id)


def _page(
    request: ClinicRequest, found: ModelVersion, form: DecisionForm | None, *, status: int = 200
) -> HttpResponse:
    judgement = found.judgement or {}
    waiting = waiting_proposal(found)
    if waiting is not None:
        # Instead of the form: what is wrong with one that was sent meanwhile is said above the proposal.
        for words in form.non_field_errors() if form else ():
            messages.error(request, str(words))
        form = None
    context: dict[str, Any] = {
        "version": found,
        "active": active_version(),
        "card": render_card(found.card),
        "reasons": judgement.get("reasons", []),
        "tests": [
            (title, comparison_rows(judgement[name]), judgement[name])
            for name, title in (("base", _("Base locked test")), ("clinic", _("The clinic’s own locked test")))
            if judgement.get(name)
        ],
        "labels_needed": judgement.get("labels_needed"),
        "decisions": found.decisions.select_related("by__member", "seconded_by__member", "replaced"),
        "proposal": waiting,
        "why_not_approve": why_not_approve(waiting, by=_user(request)) if waiting else "",
        "may_decide": _may_decide(request),
        "say": say_of(_user(request), found).value,
        "form": form,
        "clinics": Clinic.objects.count(),
        "is_candidate": found.status == ModelVersionStatus.CANDIDATE,
    }
    return render(request, "retraining/version.html", context, status=status)


def comparison_rows(comparison: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    """The figures of one test that the gate compared, with their names."""
    named = {
        "balanced_accuracy": _("Balanced accuracy"),
        "melanoma_sensitivity": _("Melanoma sensitivity at the operating point"),
        "calibration_error": _("Expected calibration error"),
    }
    rows = [(label, comparison[name]) for name, label in named.items() if comparison.get(name)]
    recalls = comparison.get("recall", {})
    return rows + [(_("Recall: %s") % BY_CODE[code].name, change) for code, change in recalls.items()]
