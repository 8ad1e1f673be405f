"""The site's work that can wait."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from patients.models import Submission


@shared_task
def delete_old_submissions() -> None:
    """Delete the results of forms and requests that nobody sends again any more."""
    oldest = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_KEYS_LAST_HOURS)
    Submission.objects.filter(created_at__lt=oldest).delete()
