"""Heartbeats of the workers and of the schedule: a row in the database for people, a socket for the supervisor.

The supervisor is systemd, or the one that ``make run`` starts, which speaks systemd's protocol (sd_notify). It
measures silence on the monotonic clock, so that changing the time of day restarts nothing.
"""

import logging
import os
from typing import Any

from celery import Celery
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from gunicorn.systemd import sd_notify

from dermascan.models import WorkerHeartbeat
from dermascan.models.worker_heartbeat import SCHEDULE

logger = logging.getLogger(__name__)


def beat(*, name: str, queue: str, task: str = "") -> None:
    """Say that this process lives. Never raises: the work matters more."""
    sd_notify("WATCHDOG=1", logger)
    values = {"queue": queue, "process": os.getpid(), "task": task[:200], "heard_at": timezone.now()}
    try:
        # In a transaction of its own, so that a database that fails leaves none behind that is broken.
        with transaction.atomic():
            WorkerHeartbeat.objects.update_or_create(name=name[:200], defaults=values)
    except DatabaseError as error:
        logger.warning("The heartbeat of %s was not kept: %s", name, type(error).__name__)


def take_leave(name: str) -> None:
    """Forget a worker that stops as it was told to: nobody misses it."""
    try:
        WorkerHeartbeat.objects.filter(name=name[:200]).delete()
    except DatabaseError as error:
        logger.warning("The heartbeat of %s was not deleted: %s", name, type(error).__name__)


def workers(app: Celery) -> dict[str, Any]:
    """Return the state of the workers: failing where one is lost, or where a queue has none at all."""
    if app.conf.task_always_eager:
        return {"alive": 0, "lost": []}  # everything is done at once, by who asks for it
    heartbeats = list(WorkerHeartbeat.objects.all())
    alive = [heartbeat for heartbeat in heartbeats if not heartbeat.is_lost]
    needed = {app.conf.task_default_queue, settings.LONG_QUEUE, SCHEDULE}
    lost = {heartbeat.queue for heartbeat in heartbeats if heartbeat.is_lost}
    lost |= needed - {queue for heartbeat in alive for queue in heartbeat.queue.split(",")}
    return {"status": "failing" if lost else "ok", "alive": len(alive), "lost": sorted(lost)}
