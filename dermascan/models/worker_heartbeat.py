from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import around

# The queue name of beat, which has no queue.
SCHEDULE = "schedule"
# A worker that has been silent for this long was taken down and no longer counts as lost.
FORGOTTEN_AFTER = timedelta(days=1)


class WorkerHeartbeatQuerySet(models.QuerySet["WorkerHeartbeat"]):
    def forgotten(self) -> "WorkerHeartbeatQuerySet":
        """Return heartbeats that are long past, or dated in the future."""
        return self.exclude(heard_at__range=around(FORGOTTEN_AFTER))


class WorkerHeartbeat(models.Model):
    """A worker's last heartbeat, written by the process that carries out tasks."""

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
        """Return whether the worker has been silent for too long.

        A time far in the future counts too: it was written before the clock was set back, and a live worker corrects
        it within seconds.
        """
        return abs((timezone.now() - self.heard_at).total_seconds()) > settings.WORKER_SILENT_SECONDS
