"""Daily snapshots of drift and of the queue, which cannot be recalculated later."""

from datetime import timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from diagnosis.monitoring.activity import queue_of
from diagnosis.monitoring.drift_check import look_for_drift
from diagnosis.monitoring.models import MonitoringDay
from patients.models import Clinic


def store_day(clinic: Clinic | None) -> MonitoringDay:
    """Store today's snapshot of a clinic, or of all clinics; the last one of the day stays."""
    drift, queue = look_for_drift(clinic), queue_of(clinic)
    row, _is_new = MonitoringDay.objects.update_or_create(
        clinic=clinic,
        day=timezone.localdate(),
        defaults={
            "seen_at": timezone.now(),
            "photographs": drift.features.count if drift else 0,
            "distance": drift.features.distance if drift else None,
            "limit": drift.limit if drift else None,
            "stability_index": drift.features.psi if drift else None,
            "waiting": queue.waiting,
            "oldest_days": queue.oldest_days,
            "median_days": queue.median_days,
        },
    )
    return row


def stored_days(clinic: Clinic | None, *, days: int) -> QuerySet[MonitoringDay]:
    """Return the snapshots of the latest ``days`` days, oldest first."""
    since = timezone.localdate() - timedelta(days=days - 1)
    return MonitoringDay.objects.filter(clinic=clinic, day__gte=since).order_by("day")


def newest_of_every_clinic() -> QuerySet[MonitoringDay]:
    """Return each clinic's latest snapshot, by the clinic's name."""
    newest = MonitoringDay.objects.filter(clinic=OuterRef("clinic")).order_by("-day").values("pk")[:1]
    own = MonitoringDay.objects.filter(clinic__isnull=False, pk=Subquery(newest))
    return own.select_related("clinic").order_by("clinic__name")
