"""Plans that follow by themselves from specimens, laboratory results, closures and decisions made with reviews.

These plans follow from a record, so members who may not state a step themselves may still record what happened.
"""

import datetime
import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from diagnosis.followup.due_dates import months_later
from diagnosis.followup.models import Ending, LesionPlan, NextStep, PlanSource
from diagnosis.followup.models.plan import EARLIEST_DUE, LONGEST_REASON
from diagnosis.followup.services import RESULT_EXPECTED_AFTER, add_plan, end_plan, lock_plan_of, state_plan
from diagnosis.followup.unplanned import demanding_results
from diagnosis.outcomes.models import LesionClosure, PathologyResult, Specimen
from diagnosis.outcomes.states import outcome_of
from diagnosis.reviews.models import Management, ManagementDecision
from patients.models import Lesion, Member

log = logging.getLogger(__name__)

# By when a biopsy or referral is arranged that was decided with a review, which asks for no date.
DECIDED_STEP_WITHIN = datetime.timedelta(days=14)
_STEPS = {
    Management.EXCISE: NextStep.BIOPSY,
    Management.BIOPSY: NextStep.BIOPSY,
    Management.FOLLOW: NextStep.SEE_AGAIN,
    Management.REFER: NextStep.REFER,
    Management.DISCHARGE: NextStep.DISCHARGE,
}


def await_result(*, specimen: Specimen, by: Member) -> None:
    """Plan the wait for a specimen's result. It ends a biopsy, which was done, and replaces any other step."""
    with transaction.atomic():
        standing = lock_plan_of(specimen.lesion_id)
        if standing is not None and standing.step == NextStep.RESULT_AWAITED:
            return  # the result that was expected first stays due first
        if standing is not None:
            ending = Ending.DONE if standing.step == NextStep.BIOPSY else Ending.REPLACED
            end_plan(standing, ending, by=by, visit=specimen.visit)
        plan = add_plan(
            lesion=specimen.lesion,
            by=by,
            step=NextStep.RESULT_AWAITED,
            due_on=max(specimen.sent_on + RESULT_EXPECTED_AFTER, EARLIEST_DUE),
            note=specimen.title,
            visit=specimen.visit,
        )
        PlanSource.objects.create(plan=plan, specimen=specimen, replaced=standing)
    log.info("The result of specimen %s is planned for.", specimen.pk)


def end_wait(*, result: PathologyResult, by: Member) -> None:
    """End “result awaited” once every specimen of the lesion has a confirmed result.

    A “see again” or referral that the wait had replaced stands again, unless a result demands a new decision.
    """
    with transaction.atomic():
        _end_wait(result.specimen.lesion, by)


def wait_again(*, result: PathologyResult, by: Member) -> None:
    """Plan to wait again if a withdrawn result leaves its specimen without one, or with one to be confirmed."""
    histories = outcome_of(result.specimen.lesion).specimens
    history = next((each for each in histories if each.specimen.pk == result.specimen_id), None)
    if history is not None and (history.is_awaited or history.is_to_confirm):
        await_result(specimen=history.specimen, by=by)


def stop_waiting(*, specimen: Specimen, by: Member) -> None:
    """Take back the wait for a withdrawn specimen: what it had replaced stands again."""
    lesion = specimen.lesion
    with transaction.atomic():
        standing = lock_plan_of(lesion.pk)
        outcome = outcome_of(lesion)
        if standing is None or standing.step != NextStep.RESULT_AWAITED or outcome.unfinished:
            return
        source = PlanSource.objects.filter(plan=standing).first()
        if source is None or source.specimen_id is None:
            return  # stated by hand: another result may be meant
        if outcome.specimens:
            _end_wait(lesion, by)
            return
        reason = _("The specimen was withdrawn: %(why)s") % {"why": specimen.withdrawal_reason}
        end_plan(standing, Ending.CANCELLED, by=by, reason=reason[:LONGEST_REASON])
        _restore(source.replaced, by)


def end_with_closure(*, closure: LesionClosure, by: Member) -> None:
    """Cancel the plan of a lesion that is closed, for the closure's reason. A discharge agrees with it and stays."""
    with transaction.atomic():
        standing = lock_plan_of(closure.lesion_id)
        if standing is None or standing.step == NextStep.DISCHARGE:
            return
        why = ". ".join(part for part in (str(closure.get_why_display()), closure.note) if part)
        reason = _("The lesion was closed: %(why)s") % {"why": why}
        end_plan(standing, Ending.CANCELLED, by=by, reason=reason[:LONGEST_REASON])


def plan_as_decided(*, decision: ManagementDecision) -> None:
    """State the step that a dermatologist decided with a review."""
    lesion, today = decision.lesion, timezone.localdate()
    step = _STEPS[Management(decision.decision)]
    due_on = None if step == NextStep.DISCHARGE else today + DECIDED_STEP_WITHIN
    if decision.months is not None:
        due_on = months_later(today, decision.months)
    with transaction.atomic():
        standing = lock_plan_of(lesion.pk)
        plan = state_plan(
            lesion=lesion,
            by=decision.member,
            step=step,
            due_on=due_on,
            note=_("Decided with the review: %(decision)s") % {"decision": decision.words},
            visit=decision.group.visit if decision.group else None,
        )
        PlanSource.objects.create(plan=plan, decision=decision, replaced=standing)


def withdraw_decided(*, decision: ManagementDecision) -> None:
    """Take back the plan of a decision whose review was withdrawn, if it still stands."""
    with transaction.atomic():
        standing = lock_plan_of(decision.lesion_id)
        source = PlanSource.objects.filter(plan=standing, decision=decision).first() if standing else None
        if standing is None or source is None:
            return
        end_plan(standing, Ending.CANCELLED, by=decision.member, reason=_("The review that decided it was withdrawn."))
        _restore(source.replaced, decision.member)


def _end_wait(lesion: Lesion, by: Member) -> None:
    standing = lock_plan_of(lesion.pk)
    if standing is None or standing.step != NextStep.RESULT_AWAITED or outcome_of(lesion).unfinished:
        return
    end_plan(standing, Ending.DONE, by=by)
    source = PlanSource.objects.filter(plan=standing).first()
    if source is None or demanding_results().filter(specimen__lesion=lesion).exists():
        return
    replaced = _still_meant(source.replaced)
    # A biopsy has been done, and a discharge came before what was found since.
    if replaced is not None and replaced.step in (NextStep.SEE_AGAIN, NextStep.REFER):
        _restore(replaced, by)


def _restore(plan: LesionPlan | None, by: Member) -> None:
    """State an ended plan again, as it was: an ended one never stands again itself."""
    plan = _still_meant(plan)
    if plan is None:
        return
    again = add_plan(lesion=plan.lesion, by=by, step=plan.step, due_on=plan.due_on, note=plan.note, visit=plan.visit)
    source = PlanSource.objects.filter(plan=plan).first() or PlanSource()
    PlanSource.objects.create(
        plan=again, specimen=source.specimen, decision=source.decision, replaced=source.replaced, restores=plan
    )


def _still_meant(plan: LesionPlan | None) -> LesionPlan | None:
    """Return the plan, or the one before it if its decision has been withdrawn since."""
    while plan is not None:
        source = PlanSource.objects.select_related("replaced").filter(plan=plan, decision__isnull=False).first()
        if source is None or ManagementDecision.objects.standing().filter(pk=source.decision_id or 0).exists():
            return plan
        plan = source.replaced
    return None
