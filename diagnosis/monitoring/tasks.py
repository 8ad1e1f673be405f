"""Background tasks. Each calls one service, is idempotent, and takes only strings or ids."""

from celery import shared_task

from diagnosis.monitoring.days import store_day
from diagnosis.monitoring.hourly_checks import watch_clinic
from patients.models import Clinic


@shared_task(soft_time_limit=3300, time_limit=3600)
def watch_clinics() -> None:
    """Run the hourly checks of every clinic, and store the day's snapshots."""
    for clinic in Clinic.objects.all():
        watch_clinic(clinic)
        store_day(clinic)
    store_day(None)
