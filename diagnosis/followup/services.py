"""State, complete and cancel plans. A lesion has one standing plan; the newest one replaces it.

Dermatologists state any step. Other members state “see again” alone, which decides nothing about a lesion, and they
never replace another step with it. Anyone may say that a recall, a biopsy or a referral has happened; a result is
closed by a dermatologist, who has read it. Cancelling drops what was planned, so a dermatologist does it, with a
reason.
"""

import datetime
import logging
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dermascan.core.sentences import is_a_sentence
from diagnosis.followup.errors import (
    CancelledWithoutAReason,
    DischargeHasNoDate,
    PlanChangedMeanwhile,
    PlanHasEnded,
    PlanNeedsADate,
    ResultIsReadByADermatologist,
    StepNeedsADermatologist,
    VisitOfAnotherPatient,
)
from diagnosis.followup.models import STAFF_STEPS, Ending, LesionPlan, NextStep
from patients.models import Lesion, Member, Visit
from patients.services.same_clinic import ensure_dermatologist_of, ensure_same_clinic

log = logging.getLogger(__name__)

# A biopsy that was done is followed by the wait for its result: laboratories answer within two weeks.
RESULT_EXPECTED_AFTER = datetime.timedelta(days=14)


def standing_plan(lesion: Lesion) -> LesionPlan | None:
    """Return the lesion's plan, if it has one."""
    return LesionPlan.objects.standing().select_related("stated_by__user", "visit").filter(lesion=lesion).first()


def may_state(member: Member, step: str) -> bool:
    return member.is_dermatologist or step in STAFF_STEPS


def state_plan(
    *,
    lesion: Lesion,
    by: Member,
    step: str,
    due_on: datetime.date | None = None,
    note: str = "",
    visit: Visit | None = None,
    seen: UUID | str | None = None,
) -> LesionPlan:
    """Store the lesion's next step; the plan that stood until now is replaced.

    Args:
        visit: the visit at which it is stated, if any.
        seen: the key of the standing plan that ``by`` has seen, "" if there was none; None skips this check.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        StepNeedsADermatologist, PlanNeedsADate, DischargeHasNoDate, VisitOfAnotherPatient, PlanChangedMeanwhile.
    """
    ensure_same_clinic(lesion.patient, by)
    if not may_state(by, step):
        raise StepNeedsADermatologist
    if step == NextStep.DISCHARGE and due_on is not None:
        raise DischargeHasNoDate
    if step != NextStep.DISCHARGE and due_on is None:
        raise PlanNeedsADate
    with transaction.atomic():
        standing = lock_plan_of(lesion.pk, visit=visit)
        if seen is not None and str(seen) != (str(standing.pk) if standing else ""):
            raise PlanChangedMeanwhile
        if standing is not None:
            if not may_state(by, standing.step):
                raise StepNeedsADermatologist
            end_plan(standing, Ending.REPLACED, by=by, visit=visit)
        plan = add_plan(lesion=lesion, by=by, step=step, due_on=due_on, note=note, visit=visit)
    log.info("Member %s planned %s for lesion %s.", by.pk, step, lesion.pk)
    return plan


def complete_plan(*, plan: LesionPlan, by: Member, visit: Visit | None = None) -> LesionPlan | None:
    """Mark the plan as done, at ``visit`` if one is given, and return the plan that follows from it by itself.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        ResultIsReadByADermatologist, VisitOfAnotherPatient, PlanHasEnded.
    """
    ensure_same_clinic(plan.lesion.patient, by)
    if plan.step == NextStep.RESULT_AWAITED and not by.is_dermatologist:
        raise ResultIsReadByADermatologist
    if plan.step == NextStep.DISCHARGE:
        raise PlanHasEnded
    with transaction.atomic():
        plan = _lock(plan, visit=visit)
        end_plan(plan, Ending.DONE, by=by, visit=visit)
        log.info("Member %s marked plan %s as done.", by.pk, plan.pk)
        following = follows(plan)
        if following is None:
            return None
        step, due_on = following
        return add_plan(lesion=plan.lesion, by=by, step=step, due_on=due_on, note=plan.note, visit=visit)


def follows(plan: LesionPlan) -> tuple[NextStep, datetime.date] | None:
    """Return the step that follows by itself once the plan is done, and its date: a biopsy has a result to await."""
    if plan.step != NextStep.BIOPSY:
        return None
    return NextStep.RESULT_AWAITED, timezone.localdate() + RESULT_EXPECTED_AFTER


def cancel_plan(*, plan: LesionPlan, by: Member, reason: str) -> None:
    """Cancel the plan for a reason, which stays in the record.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        CancelledWithoutAReason, PlanHasEnded.
    """
    ensure_dermatologist_of(plan.lesion.patient, by)
    if not is_a_sentence(reason):
        raise CancelledWithoutAReason
    with transaction.atomic():
        end_plan(_lock(plan), Ending.CANCELLED, by=by, reason=reason.strip())
    log.info("Member %s cancelled plan %s.", by.pk, plan.pk)


def lock_plan_of(lesion_id: UUID, *, visit: Visit | None = None) -> LesionPlan | None:
    """Return the lesion's standing plan under a lock. Call it in a transaction.

    Raises ``VisitOfAnotherPatient`` unless ``visit`` is of the lesion's patient.
    """
    # Two members may plan at once: the lesion's row makes the second one wait.
    lesion = Lesion.objects.select_for_update(of=("self",)).get(pk=lesion_id)
    # Under the lock, since lesions and visits may be moved to another patient.
    if visit is not None and not Visit.objects.filter(pk=visit.pk, patient=lesion.patient_id).exists():
        raise VisitOfAnotherPatient
    return LesionPlan.objects.standing().filter(lesion=lesion_id).first()


def _lock(plan: LesionPlan, *, visit: Visit | None = None) -> LesionPlan:
    standing = lock_plan_of(plan.lesion_id, visit=visit)
    if standing is None or standing.pk != plan.pk:
        raise PlanHasEnded
    return standing


def end_plan(plan: LesionPlan, ending: Ending, *, by: Member, visit: Visit | None = None, reason: str = "") -> None:
    """Write how a plan ended that is locked and stands."""
    plan.ending, plan.ended_by, plan.ended_at_visit = ending, by, visit
    plan.ending_reason = reason or None
    plan.ended_at = max(timezone.now(), plan.stated_at)  # the clock may have been set back
    plan.save(update_fields=["ending", "ending_reason", "ended_by", "ended_at", "ended_at_visit"])


def add_plan(
    *, lesion: Lesion, by: Member, step: str, due_on: datetime.date | None, note: str, visit: Visit | None
) -> LesionPlan:
    """Write a plan for a lesion that is locked and has none."""
    return LesionPlan.objects.create(
        clinic_id=lesion.patient.clinic_id,
        lesion=lesion,
        visit=visit,
        step=step,
        due_on=due_on,
        note=note.strip(),
        stated_by=by,
    )
