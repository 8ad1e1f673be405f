"""Celery's beat scheduler, which recreates its file if that is corrupt, for example after a power cut."""

import socket
import time
from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings
from django.utils import timezone

from dermascan.heartbeats import beat, delete_heartbeat
from dermascan.models.worker_heartbeat import SCHEDULE


class Scheduler(PersistentScheduler):
    """A persistent scheduler. Its file only stores when each task last ran, so losing it merely shifts tasks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._name = f"{SCHEDULE}@{socket.gethostname()}"
        self._next_beat = time.monotonic()
        super().__init__(*arguments, **options)
        self.max_interval = settings.WORKER_HEARTBEAT_SECONDS

    def setup_schedule(self) -> None:
        try:
            super().setup_schedule()
        except Exception as error:  # unpickling a truncated file may raise anything
            self._store: Any = self._destroy_open_corrupted_schedule(error)
            super().setup_schedule()

    def tick(self, *arguments: Any, **options: Any) -> float:
        self._reset_future_runs()
        if time.monotonic() >= self._next_beat:
            beat(name=self._name, queue=SCHEDULE)
            self._next_beat = time.monotonic() + settings.WORKER_HEARTBEAT_SECONDS
        return float(super().tick(*arguments, **options))

    def close(self) -> None:
        super().close()
        delete_heartbeat(self._name)

    def _reset_future_runs(self) -> None:
        """Reset last-run times in the future, so that tasks run on time after the clock was set back."""
        now = timezone.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = entry.default_now()
        if ahead:
            self._heap = None
