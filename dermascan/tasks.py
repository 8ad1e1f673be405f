"""The site's work that can wait."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings

from dermascan.core.clock import around
from dermascan.core.submission import Submission
from dermascan.models import WorkerHeartbeat
from dermascan.orphans import TooManyOrphans, delete_orphans

logger = logging.getLogger(__name__)


@shared_task
def delete_old_submissions() -> None:
    """Delete the results of forms and requests that nobody sends again any more."""
    Submission.objects.exclude(
        created_at__range=around(timedelta(hours=settings.IDEMPOTENCY_KEYS_LAST_HOURS))
    ).delete()


@shared_task(soft_time_limit=3300, time_limit=3600)
def sweep_orphans() -> None:
    """Delete files that nobody points at, a day after they were written."""
    try:
        delete_orphans()
    except TooManyOrphans as error:
        logger.error("%s", error)


@shared_task
def forget_old_workers() -> None:
    """Delete the heartbeats of workers that were taken down long ago."""
    WorkerHeartbeat.objects.all().forgotten().delete()
