"""The life of an incident: it opens, somebody acknowledges it, it is over. The only place that writes them."""

from django.db import transaction
from django.utils import timezone

from diagnosis.monitoring.models import Incident, IncidentState, Watched
from diagnosis.monitoring.notifications import tell_of
from patients.models import Clinic, User


def open_incident(*, clinic: Clinic, watched: Watched, words: str) -> tuple[Incident, bool]:
    """Return the incident of this kind that is not over, and whether it was opened now; the operator is told of it.

    Two who see the same thing at once open one: the database holds them apart.
    """
    with transaction.atomic():
        incident, is_new = Incident.objects.alive().get_or_create(
            clinic=clinic, watched=watched, defaults={"words": words, "opened_at": timezone.now()}
        )
        if is_new:
            tell_of(incident)
    return incident, is_new


def acknowledge_incident(*, incident: Incident, by: User) -> bool:
    """Say that ``by`` sees to it; False where it was acknowledged before, or is over."""
    with transaction.atomic():
        found = Incident.objects.select_for_update().get(pk=incident.pk)
        if found.state != IncidentState.OPEN:
            return False
        found.state, found.acknowledged_by, found.acknowledged_at = IncidentState.ACKNOWLEDGED, by, timezone.now()
        found.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
        return True


def end_incident(*, clinic: Clinic, watched: Watched) -> bool:
    """Close what all is well with again; False where nothing was open."""
    alive = Incident.objects.alive().filter(clinic=clinic, watched=watched)
    return alive.update(state=IncidentState.OVER, over_at=timezone.now()) == 1
