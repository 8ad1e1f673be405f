"""What the watch has noticed: one row an incident, from the first alarm until all is well again."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Member


class Watched(models.TextChoices):
    """What can go wrong; thresholds are settings, see docs/watch.md."""

    DRIFT = "drift", _("Photographs unlike those of the release")
    REFUSALS = "refusals", _("Many photographs are refused")
    QUEUE_AGE = "queue_age", _("Photographs wait long for a review")


class IncidentState(models.TextChoices):
    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Somebody sees to it")
    OVER = "over", _("Over")


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, member: Member | None) -> "IncidentQuerySet":
        """The incidents of the member's clinic."""
        return self.filter(clinic=member.clinic_id) if member else self.none()

    def alive(self) -> "IncidentQuerySet":
        return self.exclude(state=IncidentState.OVER)

    def untold(self) -> "IncidentQuerySet":
        return self.filter(Q(mailed_at__isnull=True) | Q(called_at__isnull=True))


class Incident(models.Model):
    """Told once when it opens. Written by ``diagnosis.watch.incidents`` alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="incidents")
    watched = models.CharField(max_length=20, choices=Watched)
    state = models.CharField(max_length=15, choices=IncidentState, default=IncidentState.OPEN)
    words = models.TextField(help_text=_("What was seen, with the figures."))
    opened_at = models.DateTimeField()
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(null=True, blank=True)
    # Each way of telling is claimed before it is tried and marked when it has gone out, so that it goes out once.
    mailed_at = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(condition=Q(watched__in=Watched.values), name="incident_is_of_a_known_kind"),
            models.CheckConstraint(condition=Q(state__in=IncidentState.values), name="incident_state_is_known"),
            models.CheckConstraint(condition=~Q(words=""), name="incident_says_what_was_seen"),
            models.UniqueConstraint(
                fields=["clinic", "watched"], condition=~Q(state="over"), name="one_incident_of_a_kind_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="over", over_at__isnull=False) | (~Q(state="over") & Q(over_at__isnull=True)),
                name="incident_that_is_over_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(acknowledged_by__isnull=True, acknowledged_at__isnull=True)
                | Q(acknowledged_by__isnull=False, acknowledged_at__isnull=False),
                name="incident_acknowledgement_has_a_name_and_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="acknowledged") | Q(acknowledged_at__isnull=False),
                name="acknowledged_incident_names_who",
            ),
        ]
        indexes = [models.Index(fields=["clinic", "-opened_at"], name="incidents_of_a_clinic")]

    def __str__(self) -> str:
        return f"{self.get_watched_display()}"
