"""The next steps that a signature states: what the signer chose for each lesion of the visit, and what follows.

A “see again” whose day has come is done by a visit at which the lesion was photographed; the signing page says so. A
plan for later, and any other step, stays until somebody closes it.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dermascan.core.sentences import has_words
from diagnosis.followup.errors import DischargeUnexplained, NextStepMissing, PlanChangedMeanwhile
from diagnosis.followup.models import LesionPlan, NextStep
from diagnosis.followup.services import complete_plan, follows, state_plan
from diagnosis.followup.step_words import step_for_patient
from diagnosis.images.models import Image
from patients.models import Lesion, Member, Visit

# What a signer may choose besides a new step.
KEEP, DONE, NONE = "keep", "done", "none"
# How much earlier than planned a visit may be and still fulfil a “see again”.
EARLY_BY = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Chosen:
    """What the signer chose for one lesion: ``KEEP``, ``DONE``, ``NONE`` or a step; "" if they left it open.

    Attributes:
        seen: the key of the lesion's standing plan on the page, "" if there was none; None skips this check.
    """

    choice: str
    due_on: datetime.date | None = None
    note: str = ""
    seen: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a signature does to the plan of one lesion, and the next step that stands afterwards ("" for none)."""

    lesion: Lesion
    standing: LesionPlan | None
    choice: str
    step: str
    due_on: datetime.date | None
    note: str

    @property
    def words(self) -> str:
        """The next step for the patient; empty without one."""
        return step_for_patient(self.lesion, self.step, self.due_on) if self.step else ""

    def is_old_discharge(self, visit: Visit) -> bool:
        """Whether the lesion was discharged before this visit: what was seen since is not answered by that."""
        if self.choice != KEEP or self.standing is None:
            return False
        return self.step == NextStep.DISCHARGE and self.standing.visit_id != visit.pk


def lesions_at(visit: Visit) -> list[Lesion]:
    """The lesions photographed at the visit, by number."""
    shown = Image.objects.in_use().filter(visit=visit).order_by().values("lesion")
    return list(Lesion.objects.filter(pk__in=shown).select_related("patient").order_by("number"))


def is_fulfilled_by(plan: LesionPlan, visit: Visit) -> bool:
    """Whether a visit at which the lesion was photographed does what the plan asked for."""
    return (
        plan.is_recall
        and plan.due_on is not None
        and plan.visit_id != visit.pk
        and plan.due_on <= visit.date + EARLY_BY
    )


def next_steps_at(visit: Visit, chosen: Mapping[UUID, Chosen] | None = None) -> list[Outcome]:
    """Return what signing the visit would do to the plan of each of its lesions.

    Raises:
        PlanChangedMeanwhile: a plan is not the one that the signer has seen.
    """
    lesions = lesions_at(visit)
    standing = {plan.lesion_id: plan for plan in LesionPlan.objects.standing().filter(lesion__in=lesions)}
    return [_outcome(visit, lesion, standing.get(lesion.pk), (chosen or {}).get(lesion.pk)) for lesion in lesions]


def ensure_next_steps(outcomes: Sequence[Outcome], demanding: Collection[UUID], *, visit: Visit) -> None:
    """Raise ``NextStepMissing`` or ``DischargeUnexplained`` unless every demanding lesion has a next step."""
    concerned = [outcome for outcome in outcomes if outcome.lesion.pk in demanding]
    if missing := [each.lesion.title for each in concerned if not each.step or each.is_old_discharge(visit)]:
        raise NextStepMissing(missing)
    unexplained = [each for each in concerned if each.step == NextStep.DISCHARGE and not each.note.strip()]
    if unexplained:
        raise DischargeUnexplained([outcome.lesion.title for outcome in unexplained])


def plan_with_steps(plan: str, outcomes: Sequence[Outcome]) -> str:
    """Return the plan that the patient reads: what was typed, then the next step of each lesion that has one."""
    lines = [words for outcome in outcomes if (words := outcome.words) and words not in plan]
    if lines and not has_words(plan):
        plan = ""  # a dash, which said that there was none
    return "\n\n".join(part for part in (plan, "\n".join(lines)) if part)


def carry_out(outcomes: Sequence[Outcome], *, visit: Visit, by: Member) -> None:
    """Write the plans, in the transaction of the signature."""
    for outcome in outcomes:
        if outcome.choice == DONE and outcome.standing is not None:
            complete_plan(plan=outcome.standing, by=by, visit=visit)
        elif outcome.choice in NextStep.values:
            state_plan(
                lesion=outcome.lesion,
                by=by,
                step=outcome.choice,
                due_on=outcome.due_on,
                note=outcome.note,
                visit=visit,
                seen=str(outcome.standing.pk) if outcome.standing else "",
            )


def _outcome(visit: Visit, lesion: Lesion, standing: LesionPlan | None, chosen: Chosen | None) -> Outcome:
    if chosen is None:
        chosen = Chosen(DONE if standing and is_fulfilled_by(standing, visit) else KEEP if standing else NONE)
    if chosen.seen is not None and chosen.seen != (str(standing.pk) if standing else ""):
        raise PlanChangedMeanwhile
    choice = chosen.choice
    if choice in NextStep.values:
        return Outcome(lesion, standing, choice, choice, chosen.due_on, chosen.note)
    if standing is None or not choice:
        return Outcome(lesion, standing, NONE, "", None, "")
    if choice != DONE or standing.step == NextStep.DISCHARGE:
        return Outcome(lesion, standing, KEEP, standing.step, standing.due_on, standing.note)
    step, due_on = follows(standing) or ("", None)
    return Outcome(lesion, standing, DONE, step, due_on, standing.note)
