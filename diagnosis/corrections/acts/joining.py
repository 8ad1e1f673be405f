"""What a merge does with the answers about risk, the reminders and the messages of two records."""

from django.utils.translation import gettext as _

from diagnosis.corrections.errors import CannotCorrect
from diagnosis.corrections.plans import Plan
from diagnosis.followup.models import ReminderStop
from patients.models import OutgoingMessage, Patient, RiskAnswer, RiskFact, RiskKind, SkinType

LONGEST_DETAIL = 200
# Of two answers the one that stands: the more dangerous, and “not known” before “no”.
_DANGER = {
    RiskAnswer.NOT_ASKED: 0, RiskAnswer.NO: 1, RiskAnswer.UNDER_50: 1, RiskAnswer.UNKNOWN: 2, RiskAnswer.FROM_50: 3,
    RiskAnswer.YES: 4, RiskAnswer.OVER_100: 4,
}  # fmt: skip


def join_risks(plan: Plan, duplicate: Patient, survivor: Patient) -> int:
    """Have the plan move the duplicate's answers behind the survivor's, and state what stands where they differ."""
    moved = 0
    for kind in RiskKind:
        own = list(survivor.risk_facts.filter(kind=kind).order_by("number"))
        others = list(duplicate.risk_facts.filter(kind=kind).order_by("number"))
        number = own[-1].number if own else 0
        for fact in others:
            number += 1
            plan.change(fact, patient_id=survivor.pk, number=number)
        moved += len(others)
        if own and others:
            _state_what_stands(plan, survivor, own[-1], others[-1], number=number + 1)
    return moved


def stricter_skin_type(plan: Plan, duplicate: Patient, survivor: Patient) -> dict[str, str]:
    """Return the skin type to be stored if the duplicate's burns more easily, and say so."""
    order = [value for value in SkinType.values if value]
    here, there = survivor.skin_type, duplicate.skin_type
    if not here or not there or order.index(there) >= order.index(here):
        return {}
    plan.notices.append(
        _("Skin type: %(here)s here, %(there)s in the duplicate. The one that burns more easily stands. Check it.")
        % {"here": here, "there": there}
    )
    return {"skin_type": there}


def join_reminders(plan: Plan, duplicate: Patient, survivor: Patient) -> None:
    """Have a refusal of reminders, and an address that bounces, count for the joined record; messages go with it."""
    standing = {(stop.reason, stop.address) for stop in ReminderStop.objects.standing().filter(patient=survivor)}
    for stop in ReminderStop.objects.standing().filter(patient=duplicate).order_by("stated_at", "pk"):
        if (stop.reason, stop.address) not in standing:
            plan.add("reminderstop", patient_id=survivor.pk, reason=stop.reason, address=stop.address)
            plan.notices.append(
                _("Reminders: “%(reason)s” holds for the joined record.") % {"reason": stop.get_reason_display()}
            )
    for message in OutgoingMessage.objects.filter(patient=duplicate).order_by("created_at", "pk"):
        plan.change(message, patient_id=survivor.pk)


def _state_what_stands(plan: Plan, survivor: Patient, own: RiskFact, other: RiskFact, *, number: int) -> None:
    """Add the answer that cannot falsely reassure, unless the newest, which is the duplicate's, is that one."""
    first, second = sorted((own, other), key=lambda fact: -_DANGER[RiskAnswer(fact.answer)])
    details = [first.detail]
    if first.answer == second.answer and second.detail.casefold() not in first.detail.casefold():
        details.append(second.detail)
    detail = "; ".join(filter(None, details))
    if len(detail) > LONGEST_DETAIL:
        raise CannotCorrect(
            _("%(kind)s: the details of both records are too long to be joined. Shorten one of them first.")
            % {"kind": first.get_kind_display()}
        )
    if (own.answer, own.detail) != (other.answer, other.detail):
        words = _("%(kind)s: “%(own)s” here, “%(other)s” in the duplicate. “%(stands)s” stands. Ask the patient.")
        plan.notices.append(
            words
            % {
                "kind": first.get_kind_display(),
                "own": _answer(own.answer, own.detail),
                "other": _answer(other.answer, other.detail),
                "stands": _answer(first.answer, detail),
            }
        )
    if (first.answer, detail) != (other.answer, other.detail):
        plan.add(
            "riskfact", patient_id=survivor.pk, kind=first.kind, number=number, answer=first.answer, detail=detail
        )


def _answer(answer: str, detail: str) -> str:
    label = str(RiskAnswer(answer).label)
    return f"{label}: {detail}" if detail else label
