"""The plans of the demo clinic, stated and due on days relative to today."""

import datetime
from typing import Any

from django.utils import timezone

from diagnosis.followup.models import LesionPlan, Occasion, Reminder
from patients.models import Lesion, Member, MessageKind, MessageState
from patients.outbox import queue_message


def add_demo_plan(data: dict[str, Any], lesion: Lesion, *, dermatologist: Member) -> None:
    """Add a backdated plan, with a reminder that was refused if asked for. Only invented records may be backdated."""
    due_in = data.get("due_in_days")
    plan = LesionPlan.objects.create(
        clinic=lesion.patient.clinic,
        lesion=lesion,
        step=data["step"],
        due_on=None if due_in is None else timezone.localdate() + datetime.timedelta(days=due_in),
        note=data.get("note", ""),
        stated_by=dermatologist,
        stated_at=timezone.now() - datetime.timedelta(days=data["stated_days_ago"]),
    )
    if data.get("is_reminder_refused"):
        _add_refused_reminder(plan)


def _add_refused_reminder(plan: LesionPlan) -> None:
    patient = plan.lesion.patient
    reminder = Reminder.objects.create(plan=plan, occasion=Occasion.AFTER)
    message = queue_message(MessageKind.RECALL, about=reminder.pk, patient=patient, address=patient.email)
    message.state, message.finished_at = MessageState.REFUSED, timezone.now()
    message.last_error = "address refused (550 no such mailbox)"
    message.save(update_fields=["state", "finished_at", "last_error"])
