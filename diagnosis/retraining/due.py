"""Automatic start of retraining runs."""

from datetime import datetime, timedelta

from django.conf import settings

from dermascan.core.clock import is_within
from diagnosis.retraining.collect import learnt_until, new_labels
from diagnosis.retraining.errors import RetrainingRefused
from diagnosis.retraining.models import TrainingRun
from diagnosis.retraining.run_states import mark_stalled_runs
from diagnosis.retraining.services import start_run
from mlmodel.versions.serving import active_version


def start_run_if_due() -> TrainingRun | None:
    """Start a run if there are enough new labels, or if the interval is over and there are any; else return None."""
    mark_stalled_runs()
    if TrainingRun.objects.alive().exists() or not is_due():
        return None
    try:
        return start_run()
    except RetrainingRefused:
        return None


def is_due() -> bool:
    """Whether a run should start now. Failed runs count too, so that they are not repeated endlessly."""
    last = TrainingRun.objects.first()
    parent = active_version()
    new = new_labels(after=max(learnt_until(parent), last.step if last else 0))
    if settings.RETRAINING_AFTER_LABELS and new >= settings.RETRAINING_AFTER_LABELS:
        return True
    days = settings.RETRAINING_EVERY_DAYS
    return bool(days and new and not _is_of_the_last(days, parent.created_at, last.created_at if last else None))


def _is_of_the_last(days: int, *moments: datetime | None) -> bool:
    """Whether one of ``moments`` is in the last ``days`` days; future ones, from a changed clock, do not count."""
    return any(is_within(moment, timedelta(days=days)) for moment in moments if moment is not None)
