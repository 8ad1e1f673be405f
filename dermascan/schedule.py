"""Celery's beat, which begins anew where its file was spoilt: a power cut must not keep the site from starting."""

from typing import Any

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    """The file holds when each task was last due, and nothing else: without it tasks come a little early or late."""

    def setup_schedule(self) -> None:
        try:
            super().setup_schedule()
        except Exception as error:  # whatever unpickling half a file may raise
            self._store: Any = self._destroy_open_corrupted_schedule(error)
            super().setup_schedule()
