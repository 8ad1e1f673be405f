"""Template tags for the plans of lesions and the reminders of a patient."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import template

from diagnosis.followup.bounces import bouncing_addresses, named_addresses
from diagnosis.followup.models import LesionPlan, NextStep, ReminderSettings, ReminderStop
from diagnosis.followup.reminders import address_of, settings_of
from diagnosis.followup.services import may_state
from diagnosis.followup.step_words import overdue_in_words, plan_in_words
from patients.models import Lesion, Member, MessageKind, OutgoingMessage, Patient, Visit

register = template.Library()
register.filter("plan_in_words", plan_in_words)
register.simple_tag(bouncing_addresses, name="bouncing_addresses_of")
register.filter("overdue_in_words", overdue_in_words)

# The most ended plans of a lesion, and e-mails to a patient, that a page lists.
MOST_SHOWN = 20


@register.simple_tag
def plans_of_lesion(lesion: Lesion) -> list[LesionPlan]:
    """Return the lesion's plans, the standing one first, then the newest."""
    plans = LesionPlan.objects.filter(lesion=lesion).select_related("stated_by__user", "ended_by__user", "visit")
    return sorted(plans[:MOST_SHOWN], key=lambda plan: not plan.is_standing)


@register.simple_tag
def standing_plans_at(visit: Visit) -> dict[UUID, LesionPlan]:
    """Return the standing plans of the patient's lesions, by lesion."""
    return {plan.lesion_id: plan for plan in standing_plans_of(visit.patient)}


@register.simple_tag
def standing_plans_of(patient: Patient) -> list[LesionPlan]:
    """Return the standing plans of a patient's lesions by due date; discharges last."""
    plans = LesionPlan.objects.standing().filter(lesion__patient=patient.pk).select_related("lesion")
    return sorted(plans, key=lambda plan: (plan.due_on is None, plan.due_on, plan.lesion.number))


@register.filter
def of_lesion(plans: dict[UUID, LesionPlan], lesion: Lesion) -> LesionPlan | None:
    return plans.get(lesion.pk)


@register.filter
def may_change(member: Member, plan: LesionPlan | None) -> bool:
    """Whether the member may replace the plan, or state one where there is none."""
    return plan is None or may_state(member, plan.step)


@register.filter
def may_complete(member: Member, plan: LesionPlan) -> bool:
    if plan.step == NextStep.DISCHARGE:
        return False
    return member.is_dermatologist or plan.step != NextStep.RESULT_AWAITED


@dataclass(frozen=True)
class ReminderState:
    """What a patient's page says about reminders."""

    settings: ReminderSettings | None
    address: str
    stops: list[ReminderStop]
    messages: list[Any]
    addresses: dict[str, str]
    bouncing: list[str]

    @property
    def is_refused(self) -> bool:
        return any(not stop.address for stop in self.stops)

    @property
    def not_bouncing(self) -> dict[str, str]:
        return {name: address for name, address in self.addresses.items() if address not in self.bouncing}

    @property
    def bounces(self) -> bool:
        """Whether reminders go to an address that bounces."""
        return self.address in self.bouncing

    @property
    def is_shown(self) -> bool:
        return bool(self.stops or self.messages or self.addresses or (self.settings and self.settings.is_on))


@register.simple_tag
def reminders_of(patient: Patient) -> ReminderState:
    stops = ReminderStop.objects.standing().filter(patient=patient.pk).select_related("stated_by__user")
    sent = OutgoingMessage.objects.filter(kind=MessageKind.RECALL, patient=patient.pk).order_by("-created_at", "pk")
    return ReminderState(
        settings=settings_of(patient.clinic_id),
        address=address_of(patient),
        stops=list(stops),
        messages=list(sent[:MOST_SHOWN]),
        addresses=named_addresses(patient),
        bouncing=bouncing_addresses(patient),
    )
