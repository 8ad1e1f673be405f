"""Background tasks. Each calls one service, is safe to run twice, and takes only ids."""

from celery import shared_task

from diagnosis.reviews.labels import recalculate_labels
from patients.models import Clinic


@shared_task(soft_time_limit=3300, time_limit=3600)
def recalculate_labels_of_clinic(clinic_id: str) -> None:
    """Apply the clinic's review rule to the labels that another rule gave. Does nothing if there are none."""
    recalculate_labels(clinic=Clinic.objects.get(pk=clinic_id))
