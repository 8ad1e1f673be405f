"""Celery's beat, which begins anew where its file was spoilt: a power cut must not keep the site from starting."""

import socket
import time
from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings
from django.utils import timezone

from dermascan.heartbeats import beat, take_leave
from dermascan.models.worker_heartbeat import SCHEDULE


class Scheduler(PersistentScheduler):
    """The file holds when each task was last due, and nothing else: without it tasks come a little early or late."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._name = f"{SCHEDULE}@{socket.gethostname()}"
        self._next_beat = time.monotonic()
        super().__init__(*arguments, **options)
        self.max_interval = settings.WORKER_HEARTBEAT_SECONDS

    def setup_schedule(self) -> None:
        try:
            super().setup_schedule()
        except Exception as error:  # whatever unpickling half a file may raise
            self._store: Any = self._destroy_open_corrupted_schedule(error)
            super().setup_schedule()

    def tick(self, *arguments: Any, **options: Any) -> float:
        self._follow_the_clock()
        if time.monotonic() >= self._next_beat:
            beat(name=self._name, queue=SCHEDULE)
            self._next_beat = time.monotonic() + settings.WORKER_HEARTBEAT_SECONDS
        return float(super().tick(*arguments, **options))

    def close(self) -> None:
        super().close()
        take_leave(self._name)

    def _follow_the_clock(self) -> None:
        """Where the clock was set back, do what is due from now on, and not only once the old time has come again."""
        now = timezone.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            self._heap = None
