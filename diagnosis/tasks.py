"""Where Celery looks for the tasks of this app. Each slice has its own; their names are their paths."""

from diagnosis.assessment.tasks import rescore_the_archive, write_explanation
from diagnosis.followup.tasks import send_reminders
from diagnosis.monitoring.tasks import watch_clinics
from diagnosis.record.tasks import calculate_stale_summaries
from diagnosis.retraining.tasks import find_lost_work, find_stalled_runs, retrain_when_due, work_on_run
from diagnosis.reviews.tasks import recalculate_labels_of_clinic

__all__ = [
    "calculate_stale_summaries",
    "find_lost_work",
    "find_stalled_runs",
    "recalculate_labels_of_clinic",
    "rescore_the_archive",
    "retrain_when_due",
    "send_reminders",
    "watch_clinics",
    "work_on_run",
    "write_explanation",
]
