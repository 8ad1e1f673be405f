"""Where Celery looks for the tasks of this app. Each slice has its own; their names are their paths."""

from diagnosis.assessment.tasks import rescore_the_archive, write_explanation
from diagnosis.monitoring.tasks import watch_clinics
from diagnosis.retraining.tasks import bury_dead_runs, find_lost_work, retrain_when_due, work_on_run
from diagnosis.reviews.tasks import derive_labels_of_clinic

__all__ = [
    "bury_dead_runs",
    "derive_labels_of_clinic",
    "find_lost_work",
    "rescore_the_archive",
    "retrain_when_due",
    "watch_clinics",
    "work_on_run",
    "write_explanation",
]
