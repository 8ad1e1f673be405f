"""Recovery of work that the task queue lost, because the broker was down or a worker was killed."""

from django.db.models import F

from dermascan.core.background import enqueue_on_commit
from diagnosis.assessment.rescoring import does_the_archive_wait
from diagnosis.retraining.models import RunStatus, TrainingRun
from diagnosis.reviews.models import ConfirmedLabel


def enqueue_lost_work() -> None:
    """Enqueue everything that still waits. Work in progress may be enqueued twice, since each task is idempotent."""
    for run in TrainingRun.objects.filter(status=RunStatus.QUEUED):
        enqueue_on_commit("diagnosis.retraining.tasks.work_on_run", str(run.pk))
    labels_of_another_rule = ConfirmedLabel.objects.exclude(rule=F("image__visit__patient__clinic__review_rule"))
    for clinic in labels_of_another_rule.values_list("image__visit__patient__clinic", flat=True).distinct():
        enqueue_on_commit("diagnosis.reviews.tasks.recalculate_labels_of_clinic", str(clinic))
    if does_the_archive_wait():
        enqueue_on_commit("diagnosis.assessment.tasks.rescore_the_archive")
