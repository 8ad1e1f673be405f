"""What is kept of each day since nobody can count it afterwards: the distance of the photographs, and the queue."""

from datetime import timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from diagnosis.monitoring.activity import queue_of
from diagnosis.monitoring.drift_check import look_for_drift
from diagnosis.monitoring.models import WatchDay
from patients.models import Clinic


def keep_day(clinic: Clinic | None) -> WatchDay:
    """Write down what is seen now of a clinic, or of all; of a day the last look stays."""
    drift, queue = look_for_drift(clinic), queue_of(clinic)
    kept, _is_new = WatchDay.objects.update_or_create(
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
    return kept


def kept_days(clinic: Clinic | None, *, days: int) -> QuerySet[WatchDay]:
    """Return what was kept of the newest ``days`` days, the oldest first."""
    since = timezone.localdate() - timedelta(days=days - 1)
    return WatchDay.objects.filter(clinic=clinic, day__gte=since).order_by("day")


def newest_of_every_clinic() -> QuerySet[WatchDay]:
    """Return each clinic's last row, by its name: what the operator sees of each."""
    newest = WatchDay.objects.filter(clinic=OuterRef("clinic")).order_by("-day").values("pk")[:1]
    own = WatchDay.objects.filter(clinic__isnull=False, pk=Subquery(newest))
    return own.select_related("clinic").order_by("clinic__name")
