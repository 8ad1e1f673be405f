"""Incidents, one row from the first alarm until the check passes again, and daily snapshots."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Member


class IncidentKind(models.TextChoices):
    """The checks. Their limits are settings, see docs/understand/retraining.md."""

    DRIFT = "drift", _("Photographs differ from those of the release")
    REFUSALS = "refusals", _("Many photographs are refused")
    QUEUE_AGE = "queue_age", _("Urgent photographs wait too long for a review")
    AGREEMENT = "agreement", _("The network disagrees with the confirmed labels")
    CALIBRATION = "calibration", _("Probabilities are less accurate than at release")
    MISSED = "missed", _("Malignant diagnoses were called calm")
    LATENCY = "latency", _("Answers are slow")


class IncidentState(models.TextChoices):
    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    OVER = "over", _("Over")


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, member: Member | None) -> "IncidentQuerySet":
        """Return the incidents of the member's clinic."""
        return self.filter(clinic=member.clinic_id) if member else self.none()

    def alive(self) -> "IncidentQuerySet":
        return self.exclude(state=IncidentState.OVER)


class Incident(models.Model):
    """An incident, reported once when it opens. Only ``diagnosis.monitoring.incidents`` writes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="incidents")
    kind = models.CharField(max_length=20, choices=IncidentKind)
    state = models.CharField(max_length=15, choices=IncidentState, default=IncidentState.OPEN)
    words = models.TextField(help_text=_("What was seen, with the figures."))
    opened_at = models.DateTimeField()
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    over_at = models.DateTimeField(null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=IncidentKind.values), name="incident_is_of_a_known_kind"),
            models.CheckConstraint(condition=Q(state__in=IncidentState.values), name="incident_state_is_known"),
            models.CheckConstraint(condition=~Q(words=""), name="incident_says_what_was_seen"),
            models.UniqueConstraint(
                fields=["clinic", "kind"], condition=~Q(state="over"), name="one_incident_of_a_kind_at_a_time"
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
        return f"{self.get_kind_display()}"


class MonitoringDay(models.Model):
    """The day's last snapshot of drift and of the review queue, which cannot be recalculated later.

    Only ``diagnosis.monitoring.days`` writes it.
    """

    clinic = models.ForeignKey(
        Clinic, on_delete=models.CASCADE, null=True, related_name="+", help_text=_("None: of all clinics together.")
    )
    day = models.DateField()
    seen_at = models.DateTimeField()
    photographs = models.PositiveIntegerField(help_text=_("The newest accepted ones, as many as were compared."))
    distance = models.FloatField(null=True, help_text=_("From the release's; none where nothing was compared."))
    limit = models.FloatField(null=True, help_text=_("Of the distance; none while there are too few to tell."))
    stability_index = models.FloatField(null=True)
    waiting = models.PositiveIntegerField()
    oldest_days = models.FloatField(help_text=_("How long the oldest has waited."))
    median_days = models.FloatField(help_text=_("How long half of them have waited at least."))

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "day"], name="watch_keeps_one_row_a_day_of_a_clinic"),
            models.UniqueConstraint(
                fields=["day"], condition=Q(clinic__isnull=True), name="watch_keeps_one_row_a_day_of_all_clinics"
            ),
            models.CheckConstraint(
                condition=Q(photographs=0, distance__isnull=True, limit__isnull=True, stability_index__isnull=True)
                | Q(
                    photographs__gt=0,
                    distance__isnull=False,
                    distance__gte=0,
                    stability_index__isnull=False,
                    stability_index__gte=0,
                ),
                name="watch_day_has_a_distance_where_photographs_were_compared",
            ),
            models.CheckConstraint(
                condition=Q(median_days__gte=0, oldest_days__gte=models.F("median_days")),
                name="watch_day_oldest_waited_at_least_as_long_as_the_median",
            ),
            models.CheckConstraint(
                condition=Q(waiting__gt=0) | Q(oldest_days=0), name="watch_day_without_a_queue_has_no_age"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}"

    @property
    def has_drifted(self) -> bool:
        return self.distance is not None and self.limit is not None and self.distance > self.limit
