"""Background tasks. Each calls one service, is idempotent, and takes only strings or ids."""

from uuid import UUID

from celery import shared_task

from dermascan.core.background import enqueue_on_commit
from diagnosis.retraining.due import start_run_if_due
from diagnosis.retraining.lost_work import enqueue_lost_work
from diagnosis.retraining.run_states import claim_run, mark_stalled_runs
from diagnosis.retraining.services import execute_run


@shared_task(soft_time_limit=14000, time_limit=14400)
def work_on_run(run_id: str) -> None:
    """Carry out a waiting retraining run. Does nothing if another worker has claimed it, or it was abandoned."""
    run = claim_run(UUID(run_id))
    if run is not None:
        execute_run(run)


@shared_task
def retrain_when_due() -> None:
    """Start a retraining run if one is due."""
    run = start_run_if_due()
    if run is not None:
        enqueue_on_commit("diagnosis.retraining.tasks.work_on_run", str(run.pk))


@shared_task
def find_stalled_runs() -> None:
    """Mark retraining runs without a recent heartbeat as dead."""
    mark_stalled_runs()


@shared_task
def find_lost_work() -> None:
    """Enqueue again what the task queue has lost."""
    enqueue_lost_work()
