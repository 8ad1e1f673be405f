"""Work that can wait. Thin: each task calls one service, may be run twice, and takes plain words or ids."""

from celery import shared_task

from diagnosis.monitoring.days import keep_day
from diagnosis.monitoring.hourly_checks import watch_clinic
from patients.models import Clinic


@shared_task(soft_time_limit=3300, time_limit=3600)
def watch_clinics() -> None:
    """Make the hourly checks of every clinic, and keep what was seen."""
    for clinic in Clinic.objects.all():
        watch_clinic(clinic)
        keep_day(clinic)
    keep_day(None)
