"""The states of an incident: open, acknowledged, over. No other module writes incidents."""

from django.db import transaction
from django.utils import timezone

from diagnosis.monitoring.models import Incident, IncidentKind, IncidentState
from diagnosis.monitoring.notifications import queue_notifications
from patients.models import Clinic, User


def open_incident(*, clinic: Clinic, kind: IncidentKind, words: str) -> tuple[Incident, bool]:
    """Return the incident of this kind that is not over, and whether it is new; a new one is reported to the operator.

    A constraint in the database allows one at a time, so concurrent checks open one incident.
    """
    with transaction.atomic():
        incident, is_new = Incident.objects.alive().get_or_create(
            clinic=clinic, kind=kind, defaults={"words": words, "opened_at": timezone.now()}
        )
        if is_new:
            queue_notifications(incident)
    return incident, is_new


def acknowledge_incident(*, incident: Incident, by: User) -> bool:
    """Acknowledge an incident; return False if it was acknowledged before, or is over."""
    with transaction.atomic():
        row = Incident.objects.select_for_update().get(pk=incident.pk)
        if row.state != IncidentState.OPEN:
            return False
        row.state, row.acknowledged_by, row.acknowledged_at = IncidentState.ACKNOWLEDGED, by, timezone.now()
        row.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
        return True


def end_incident(*, clinic: Clinic, kind: IncidentKind) -> bool:
    """End the open incident of this kind; return False if there is none."""
    alive = Incident.objects.alive().filter(clinic=clinic, kind=kind)
    return alive.update(state=IncidentState.OVER, over_at=timezone.now()) == 1
