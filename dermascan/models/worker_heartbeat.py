from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import around

# The process that hands out what is due; the others are queues.
SCHEDULE = "schedule"
# Who has not been heard of for so long was taken down, and is not missed any more.
FORGOTTEN_AFTER = timedelta(days=1)


class WorkerHeartbeatQuerySet(models.QuerySet["WorkerHeartbeat"]):
    def forgotten(self) -> "WorkerHeartbeatQuerySet":
        """Those of workers that nobody will start again: long gone, or from a time that has not come."""
        return self.exclude(heard_at__range=around(FORGOTTEN_AFTER))


class WorkerHeartbeat(models.Model):
    """When a worker last did something. Written by the process that does the work, at work or waiting for it."""

    name = models.CharField(_("worker"), max_length=200, unique=True)
    queue = models.CharField(_("queue"), max_length=100)
    process = models.PositiveIntegerField(_("process"))
    task = models.CharField(_("at work on"), max_length=200, blank=True, default="")
    heard_at = models.DateTimeField(_("last heard of"))

    objects = WorkerHeartbeatQuerySet.as_manager()

    class Meta:
        ordering = ["queue", "name"]
        verbose_name = _("worker")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="heartbeat_names_its_worker"),
            models.CheckConstraint(condition=~Q(queue=""), name="heartbeat_names_its_queue"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_lost(self) -> bool:
        """Whether it is silent for too long.

        A time that has yet to come is as far off as one that has passed: it was written before the clock was set
        back, and a worker that lives corrects it within seconds.
        """
        return abs((timezone.now() - self.heard_at).total_seconds()) > settings.WORKER_SILENT_SECONDS
