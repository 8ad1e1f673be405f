"""Work that can wait. Thin: each task calls one service, may be run twice, and takes plain words or ids."""

from celery import shared_task

from diagnosis.reviews.labels import recalculate_labels
from patients.models import Clinic


@shared_task(soft_time_limit=3300, time_limit=3600)
def recalculate_labels_of_clinic(clinic_id: str) -> None:
    """Apply the clinic's rule for reviews to the labels that another rule made. Does nothing if there are none."""
    recalculate_labels(clinic=Clinic.objects.get(pk=clinic_id))
