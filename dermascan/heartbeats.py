"""Heartbeats of the workers and of beat: a database row for people, and a socket for the supervisor.

The supervisor is systemd, or the one that ``make run`` starts, which speaks systemd's protocol (sd_notify). It
measures silence on the monotonic clock, so that setting the system clock restarts nothing.
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
    """Record a heartbeat of this process. Never raises, so that the work goes on."""
    sd_notify("WATCHDOG=1", logger)
    values = {"queue": queue, "process": os.getpid(), "task": task[:200], "heard_at": timezone.now()}
    try:
        # In its own transaction, so that a database error does not break an outer one.
        with transaction.atomic():
            WorkerHeartbeat.objects.update_or_create(name=name[:200], defaults=values)
    except DatabaseError as error:
        logger.warning("The heartbeat of %s was not saved: %s", name, type(error).__name__)


def delete_heartbeat(name: str) -> None:
    """Delete the heartbeat of a worker that stops normally, so that it does not count as lost."""
    try:
        WorkerHeartbeat.objects.filter(name=name[:200]).delete()
    except DatabaseError as error:
        logger.warning("The heartbeat of %s was not deleted: %s", name, type(error).__name__)


def workers(app: Celery) -> dict[str, Any]:
    """Return the state of the workers: failing if one is lost, or if a queue has no worker."""
    if app.conf.task_always_eager:
        return {"alive": 0, "lost": []}  # tasks run in the calling process
    heartbeats = list(WorkerHeartbeat.objects.all())
    alive = [heartbeat for heartbeat in heartbeats if not heartbeat.is_lost]
    needed = {app.conf.task_default_queue, settings.LONG_QUEUE, SCHEDULE}
    lost = {heartbeat.queue for heartbeat in heartbeats if heartbeat.is_lost}
    lost |= needed - {queue for heartbeat in alive for queue in heartbeat.queue.split(",")}
    return {"status": "failing" if lost else "ok", "alive": len(alive), "lost": sorted(lost)}
