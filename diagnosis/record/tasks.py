"""Background tasks of the record. Each is safe to run twice."""

from datetime import timedelta

from celery import shared_task

from diagnosis.record.search.summaries import calculate_everything_stale

# Less than the time between two of them, so that a worker does other work too while an archive is calculated.
FOR_AT_MOST = timedelta(seconds=20)


@shared_task
def calculate_stale_summaries() -> None:
    """Calculate what the lists filter by, for the lesions and visits that have changed; the next one goes on."""
    calculate_everything_stale(for_at_most=FOR_AT_MOST)
