"""A proposal that another network answer: made by one person, approved by another, or it lapses.

Waiting → approved, declined, withdrawn or lapsed, and never back. It lapses when another version answers meanwhile,
when its time is over, and when who made it may no longer decide.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.clock import latest
from diagnosis.retraining.decisions import (
    Say,
    execute_run,
    lock_versions,
    may_take_part,
    say_of,
    there_are_several_clinics,
)
from diagnosis.retraining.models import Needs, ProposalState, VersionProposal
from diagnosis.retraining.models.proposal import expiry
from mlmodel.versions.models import Decision, ModelVersion, ModelVersionStatus
from mlmodel.versions.promotion import ensure_may_be_promoted, stated
from mlmodel.versions.serving import active_version
from patients.models import Clinic, Member, User

log = logging.getLogger(__name__)


class ProposalRefused(Exception):
    """What was asked cannot be done; ``message`` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def propose(*, version: ModelVersion, by: User, reason: str) -> VersionProposal:
    """Propose that ``version`` answer from now on.

    Raises:
        ProposalRefused: ``by`` has no say, or somebody has proposed it already.
        PromotionRefused: there is no reason, or nobody could promote it or go back to it now.
    """
    reason = stated(reason)
    lapse_stale()
    try:
        with transaction.atomic():
            version = lock_versions(version)
            say = say_of(by, version)
            if say is Say.NONE:
                raise ProposalRefused(_("You cannot decide which network answers here."))
            ensure_may_be_promoted(version, active=active_version(), force=True)
            proposal = VersionProposal.objects.create(
                version=version,
                replaces=active_version(),
                needs=Needs.CLINIC if say is Say.WITH_ANOTHER_CLINIC else Needs.PERSON,
                reason=reason,
                proposed_by=by,
                proposed_clinic=_clinic_of(by),
            )
    except IntegrityError:
        raise ProposalRefused(_("Somebody has proposed this version already; look at their proposal.")) from None
    log.info("Version %s was proposed by user %s.", version.pk, by.pk)
    return proposal


def approve(*, proposal: VersionProposal, by: User) -> Decision:
    """Waiting → approved: the version answers from now on.

    Raises:
        ProposalRefused: it is over, or ``by`` is not who has to agree.
        PromotionRefused: as ``mlmodel.versions.promotion`` says.
    """
    lapse_stale()
    with transaction.atomic():
        version = lock_versions(proposal.version)
        proposal = _waiting(proposal)
        if why := why_not_approve(proposal, by=by):
            raise ProposalRefused(why)
        proposal.needs = needs_of(proposal)
        decision = execute_run(version, by=proposal.proposed_by, reason=proposal.reason, seconded_by=by)
        _end(proposal, ProposalState.APPROVED, by=by, decision=decision)
    log.info("The proposal of version %s was approved by user %s.", version.pk, by.pk)
    return decision


def decline(*, proposal: VersionProposal, by: User, answer: str = "") -> VersionProposal:
    """Waiting → withdrawn by whoever made it, or declined by somebody else who has a say.

    Raises ``ProposalRefused``.
    """
    with transaction.atomic():
        proposal = _waiting(proposal)
        if not may_take_part(by):
            raise ProposalRefused(_("You cannot decide which network answers here."))
        state = ProposalState.WITHDRAWN if by == proposal.proposed_by else ProposalState.DECLINED
        _end(proposal, state, by=by, answer=" ".join(answer.split())[:500])
    return proposal


def why_not_approve(proposal: VersionProposal, *, by: User) -> str:
    """Why ``by`` cannot approve the proposal; "" where they can."""
    if not may_take_part(by):
        return _("You cannot decide which network answers here.")
    if _is_one_person(by, proposal.proposed_by):
        return _("It was proposed by you: somebody else has to agree.")
    if by.is_superuser or needs_of(proposal) == Needs.PERSON:
        return ""
    if _clinic_of(by) == proposal.proposed_clinic:
        return _(
            "It was proposed by your own clinic: a dermatologist of another clinic, or an operator, has to agree."
        )
    return ""


def needs_of(proposal: VersionProposal) -> Needs:
    """Who has to agree as things are now: a second clinic may have come since. An operator speaks for all clinics."""
    is_of_one_clinic = proposal.proposed_clinic_id is not None
    return Needs.CLINIC if is_of_one_clinic and there_are_several_clinics() else Needs.PERSON


def waiting_proposal(version: ModelVersion) -> VersionProposal | None:
    """The proposal that waits for somebody to agree, if there is one."""
    return waiting_proposals().filter(version=version).first()


def waiting_proposals() -> QuerySet[VersionProposal]:
    """All that wait, the newest first."""
    lapse_stale()
    return VersionProposal.objects.filter(state=ProposalState.WAITING).select_related("version")


def lapse_stale() -> int:
    """Waiting → lapsed, of all whose time is over, or whose time has passed them by. Cheap, and safe to run again."""
    now, waiting = timezone.now(), VersionProposal.objects.filter(state=ProposalState.WAITING)
    values = {"state": ProposalState.LAPSED, "decided_at": now}
    active = ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).values("pk")
    # Longer than any waits: it was made before the clock was set back.
    waiting.filter(expires_at__gt=latest() + timedelta(days=settings.PROPOSAL_DAYS)).update(expires_at=expiry())
    lapsed = waiting.exclude(replaces__in=active).update(**values, answer="Another version answers meanwhile.")
    lapsed += waiting.filter(expires_at__lte=now).update(**values, answer="Nobody agreed in time.")
    left = Q(proposed_by__is_active=False) | (
        Q(proposed_by__is_superuser=False) & ~Q(proposed_by__member__role="dermatologist")
    )
    keys = list(waiting.filter(left).values_list("pk", flat=True))
    return lapsed + waiting.filter(pk__in=keys).update(**values, answer="Whoever proposed it may no longer decide.")


def _is_one_person(one: User, other: User) -> bool:
    """Whether it is one account, or two whose mail goes to one address: two accounts are not two people."""
    return one == other or (bool(one.email) and one.email.casefold() == other.email.casefold())


def _waiting(proposal: VersionProposal) -> VersionProposal:
    rows = VersionProposal.objects.select_for_update(of=("self",)).select_related("proposed_by", "proposed_clinic")
    proposal = rows.get(pk=proposal.pk)
    if proposal.state != ProposalState.WAITING:
        raise ProposalRefused(_("This proposal is over: %s.") % proposal.get_state_display())
    return proposal


def _end(
    proposal: VersionProposal,
    state: ProposalState,
    *,
    by: User,
    decision: Decision | None = None,
    answer: str = "",
) -> None:
    proposal.state, proposal.decided_by, proposal.decided_clinic = state, by, _clinic_of(by)
    proposal.decided_at, proposal.decision, proposal.answer = timezone.now(), decision, answer
    proposal.save(update_fields=["state", "needs", "decided_by", "decided_clinic", "decided_at", "decision", "answer"])


def _clinic_of(user: User) -> Clinic | None:
    """The clinic for which a dermatologist speaks; an operator speaks for none."""
    if user.is_superuser:
        return None
    member = Member.objects.select_related("clinic").filter(user=user).first()
    return member.clinic if member else None
