"""The states of a run, its transitions, and its heartbeat.

A transition changes the row only from an allowed state. The process that works on the run can change it only while
the attempt is still its own: a process that was taken for dead and continues later gets ``LeaseLost``.
"""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, close_old_connections, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.clock import ClockWatch
from diagnosis.images.models.step import newest_step
from diagnosis.retraining.errors import LeaseLost, NotAbandonable, NotResumable, RunIsAlive
from diagnosis.retraining.models import RunMessage, RunStatus, TrainingRun
from diagnosis.retraining.models.run import ALIVE

_clock = ClockWatch()
RESUMED = {"status": RunStatus.QUEUED, "slot": 1, "finished_at": None}


def queue_run(**values: Any) -> TrainingRun:
    """Create a run that waits for a worker. Raises ``RunIsAlive`` if a run is waiting or running already."""
    mark_stalled_runs()
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(step=newest_step(), **values)
            note(run, _("Waiting for a worker."))
            return run
    except IntegrityError as error:
        if TrainingRun.objects.alive().exists():
            raise RunIsAlive from error
        raise


def claim_run(run_id: uuid.UUID) -> TrainingRun | None:
    """Waiting → running; None if another worker has claimed the run, or it was abandoned."""
    attempt = uuid.uuid4()
    waiting = TrainingRun.objects.filter(pk=run_id, status=RunStatus.QUEUED)
    if not waiting.update(status=RunStatus.RUNNING, attempt=attempt, heartbeat_at=timezone.now()):
        return None
    return TrainingRun.objects.select_related("parent", "clinic").get(pk=run_id)


def finish_run(run: TrainingRun, **values: Any) -> None:
    """Running → done. Raises ``LeaseLost``."""
    _end(run, status=RunStatus.DONE, share_done=1.0, stage="", **values)


def fail_run(run: TrainingRun, *, error: str) -> None:
    """Running → failed. Raises ``LeaseLost``."""
    _end(run, status=RunStatus.FAILED, error=error[:500] or _("unknown"), stage="")


def requeue_run(run_id: uuid.UUID | None = None) -> TrainingRun:
    """Dead → waiting; without an id, the newest run. Raises ``NotResumable``, ``RunIsAlive``."""
    mark_stalled_runs()
    runs = TrainingRun.objects.all() if run_id is None else TrainingRun.objects.filter(pk=run_id)
    run = runs.first()
    if run is None or not run.is_dead:
        raise NotResumable(run)
    try:
        with transaction.atomic():
            dead = TrainingRun.objects.filter(pk=run.pk, status=RunStatus.DEAD)
            if not dead.update(**RESUMED, heartbeat_at=timezone.now()):
                run.refresh_from_db()
                raise NotResumable(run)
            note(run, _("Resumed."))
    except IntegrityError as error:
        raise RunIsAlive from error
    run.refresh_from_db()
    return run


def abandon_run(run_id: uuid.UUID | None = None, *, why: str, by: Any = None) -> TrainingRun:
    """Waiting, running or dead → abandoned; without an id, the newest such run. Raises ``NotAbandonable``."""
    runs = TrainingRun.objects.filter(status__in=(*ALIVE, RunStatus.DEAD))
    with transaction.atomic():
        run = (runs if run_id is None else runs.filter(pk=run_id)).select_for_update().first()
        if run is None:
            raise NotAbandonable
        runs.filter(pk=run.pk).update(
            status=RunStatus.ABANDONED,
            slot=None,
            finished_at=timezone.now(),
            attempt=uuid.uuid4(),
            stage="",
            abandoned_by=by,
        )
        note(run, why)
    run.refresh_from_db()
    return run


def mark_stalled_runs() -> int:
    """Mark runs without a recent heartbeat as dead; return their number. Cheap, and safe to run again.

    After a change of the clock, every timeout restarts: a live run sends its next heartbeat within seconds.
    """
    if _clock.has_jumped():
        TrainingRun.objects.alive().update(heartbeat_at=timezone.now())
    marked = 0
    for run in TrainingRun.objects.silent():
        with transaction.atomic():
            still = TrainingRun.objects.silent().filter(pk=run.pk)
            if still.update(status=RunStatus.DEAD, slot=None, finished_at=timezone.now()):
                note(run, _("The run stopped responding. Resume it or abandon it."))
                marked += 1
    return marked


def report_progress(run: TrainingRun, share: float, stage: str) -> None:
    """Store the run's progress. Raises ``LeaseLost`` if this process no longer holds the run."""
    _update(run, share_done=min(max(share, 0.0), 1.0), stage=stage[:120], heartbeat_at=timezone.now())


def note(run: TrainingRun, words: str) -> None:
    """Add a line to the run's log."""
    RunMessage.objects.create(run_id=run.pk, words=words[:500])


@contextmanager
def heartbeat(run: TrainingRun) -> Iterator[None]:
    """Send heartbeats during the work, from a thread with its own database connection."""
    is_over = threading.Event()
    thread = threading.Thread(target=_beat, args=(run, is_over), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _beat(run: TrainingRun, is_over: threading.Event) -> None:
    try:
        while not is_over.wait(settings.RETRAINING_HEARTBEAT_SECONDS):
            try:
                close_old_connections()
                _update(run, heartbeat_at=timezone.now())
            except LeaseLost:
                return
            except OperationalError:
                continue  # the database is busy or down: retry with the next heartbeat
    finally:
        connection.close()


def _update(run: TrainingRun, **values: Any) -> None:
    rows = TrainingRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING, attempt=run.attempt)
    if not rows.update(**values):
        raise LeaseLost


def _end(run: TrainingRun, **values: Any) -> None:
    _update(run, slot=None, finished_at=timezone.now(), **values)
