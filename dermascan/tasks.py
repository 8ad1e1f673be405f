"""Scheduled maintenance tasks."""

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
    """Delete results of requests whose idempotency keys have expired."""
    Submission.objects.exclude(
        created_at__range=around(timedelta(hours=settings.IDEMPOTENCY_KEYS_LAST_HOURS))
    ).delete()


@shared_task(soft_time_limit=3300, time_limit=3600)
def sweep_orphans() -> None:
    """Delete orphan files that are older than a day."""
    try:
        delete_orphans()
    except TooManyOrphans as error:
        logger.error("%s", error)


@shared_task
def forget_old_workers() -> None:
    """Delete heartbeats of workers that were taken down."""
    WorkerHeartbeat.objects.all().forgotten().delete()
