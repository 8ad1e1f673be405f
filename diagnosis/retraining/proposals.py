"""Proposals to make another version the active one: made by one person and approved by another, or they lapse.

Waiting → approved, declined, withdrawn or lapsed, and never back. A proposal lapses when another version becomes
active, when its time is over, or when its author may no longer decide.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.clock import latest
from dermascan.core.errors import Refused
from diagnosis.retraining.decisions import (
    Authority,
    authority_of,
    lock_versions,
    may_take_part,
    switch_to,
    there_are_several_clinics,
)
from diagnosis.retraining.models import Needs, ProposalState, VersionProposal
from diagnosis.retraining.models.proposal import expiry
from mlmodel.versions.models import Decision, ModelVersion, ModelVersionStatus
from mlmodel.versions.promotion import ensure_may_be_promoted, stated
from mlmodel.versions.serving import active_version
from patients.models import Clinic, Member, User

log = logging.getLogger(__name__)


class ProposalRefused(Refused):
    """The request cannot be carried out; ``message`` says why."""

    code = "proposal_refused"


def propose(*, version: ModelVersion, by: User, reason: str) -> VersionProposal:
    """Create a proposal to make ``version`` the active one.

    Raises:
        ProposalRefused: ``by`` may not decide, or the version has been proposed already.
        PromotionRefused: the reason is missing, or the version cannot become active now.
    """
    reason = stated(reason)
    lapse_stale()
    try:
        with transaction.atomic():
            version = lock_versions(version)
            authority = authority_of(by, version)
            if authority is Authority.NONE:
                raise ProposalRefused(_("You are not allowed to decide which network is active here."))
            ensure_may_be_promoted(version, active=active_version(), force=True)
            proposal = VersionProposal.objects.create(
                version=version,
                replaces=active_version(),
                needs=Needs.CLINIC if authority is Authority.WITH_ANOTHER_CLINIC else Needs.PERSON,
                reason=reason,
                proposed_by=by,
                proposed_clinic=_clinic_of(by),
            )
    except IntegrityError:
        raise ProposalRefused(_("This version has already been proposed. See the open proposal.")) from None
    log.info("Version %s was proposed by user %s.", version.pk, by.pk)
    return proposal


def approve(*, proposal: VersionProposal, by: User) -> Decision:
    """Waiting → approved: the version becomes active.

    Raises:
        ProposalRefused: the proposal is over, or ``by`` may not approve it.
        PromotionRefused: see ``mlmodel.versions.promotion``.
    """
    lapse_stale()
    with transaction.atomic():
        version = lock_versions(proposal.version)
        proposal = _waiting(proposal)
        if why := why_not_approve(proposal, by=by):
            raise ProposalRefused(why)
        proposal.needs = needs_of(proposal)
        decision = switch_to(version, by=proposal.proposed_by, reason=proposal.reason, seconded_by=by)
        _end(proposal, ProposalState.APPROVED, by=by, decision=decision)
    log.info("The proposal of version %s was approved by user %s.", version.pk, by.pk)
    return decision


def decline(*, proposal: VersionProposal, by: User) -> VersionProposal:
    """Waiting → withdrawn by its author, or declined by another person who may decide.

    Raises ``ProposalRefused``.
    """
    with transaction.atomic():
        proposal = _waiting(proposal)
        if not may_take_part(by):
            raise ProposalRefused(_("You are not allowed to decide which network is active here."))
        state = ProposalState.WITHDRAWN if by == proposal.proposed_by else ProposalState.DECLINED
        _end(proposal, state, by=by)
    return proposal


def why_not_approve(proposal: VersionProposal, *, by: User) -> str:
    """Return why ``by`` cannot approve the proposal; empty if they can."""
    if not may_take_part(by):
        return _("You are not allowed to decide which network is active here.")
    if _is_one_person(by, proposal.proposed_by):
        return _("You made this proposal: another person has to approve it.")
    if by.is_superuser or needs_of(proposal) == Needs.PERSON:
        return ""
    if _clinic_of(by) == proposal.proposed_clinic:
        return _(
            "Your own clinic made this proposal: a dermatologist of another clinic, or an operator, has to approve it."
        )
    return ""


def needs_of(proposal: VersionProposal) -> Needs:
    """Return who has to approve now: clinics may have been added since. An operator acts for all clinics."""
    is_of_one_clinic = proposal.proposed_clinic_id is not None
    return Needs.CLINIC if is_of_one_clinic and there_are_several_clinics() else Needs.PERSON


def waiting_proposal(version: ModelVersion) -> VersionProposal | None:
    """Return the open proposal of ``version``, if there is one."""
    return waiting_proposals().filter(version=version).first()


def waiting_proposals() -> QuerySet[VersionProposal]:
    """Return the open proposals, newest first."""
    lapse_stale()
    return VersionProposal.objects.filter(state=ProposalState.WAITING).select_related("version")


def lapse_stale() -> int:
    """Waiting → lapsed, for every outdated proposal; return their number. Cheap, and safe to run again."""
    now, waiting = timezone.now(), VersionProposal.objects.filter(state=ProposalState.WAITING)
    values = {"state": ProposalState.LAPSED, "decided_at": now}
    active = ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).values("pk")
    # Later than any possible expiry: made before the clock was set back.
    waiting.filter(expires_at__gt=latest() + timedelta(days=settings.PROPOSAL_DAYS)).update(expires_at=expiry())
    lapsed = waiting.exclude(replaces__in=active).update(**values, answer="Another version has become active.")
    lapsed += waiting.filter(expires_at__lte=now).update(**values, answer="It was not approved in time.")
    left = Q(proposed_by__is_active=False) | (
        Q(proposed_by__is_superuser=False) & ~Q(proposed_by__member__role="dermatologist")
    )
    keys = list(waiting.filter(left).values_list("pk", flat=True))
    return lapsed + waiting.filter(pk__in=keys).update(**values, answer="Its author may no longer decide.")


def _is_one_person(one: User, other: User) -> bool:
    """Whether both are one account, or two accounts with one e-mail address, which may be one person."""
    return one == other or (bool(one.email) and one.email.casefold() == other.email.casefold())


def _waiting(proposal: VersionProposal) -> VersionProposal:
    rows = VersionProposal.objects.select_for_update(of=("self",)).select_related("proposed_by", "proposed_clinic")
    proposal = rows.get(pk=proposal.pk)
    if proposal.state != ProposalState.WAITING:
        raise ProposalRefused(_("This proposal is over: %s.") % proposal.get_state_display())
    return proposal


def _end(proposal: VersionProposal, state: ProposalState, *, by: User, decision: Decision | None = None) -> None:
    proposal.state, proposal.decided_by, proposal.decided_clinic = state, by, _clinic_of(by)
    proposal.decided_at, proposal.decision = timezone.now(), decision
    proposal.save(update_fields=["state", "needs", "decided_by", "decided_clinic", "decided_at", "decision"])


def _clinic_of(user: User) -> Clinic | None:
    """Return the clinic that a dermatologist represents; None for an operator."""
    if user.is_superuser:
        return None
    member = Member.objects.select_related("clinic").filter(user=user).first()
    return member.clinic if member else None
