"""Recalculate labels when a clinic changes its review rule. ``patients`` stores the rule and knows no labels."""

from typing import Any

from dermascan.core.background import enqueue_on_commit
from diagnosis.reviews.models import ConfirmedLabel
from patients.models import Clinic


def recalculate_labels_after_commit(sender: type[Clinic], instance: Clinic, created: bool, **_options: Any) -> None:
    """Recalculate the labels that another rule gave, in the background."""
    if created:
        return
    labels = ConfirmedLabel.objects.filter(image__visit__patient__clinic=instance)
    if labels.exclude(rule=instance.review_rule).exists():
        enqueue_on_commit("diagnosis.reviews.tasks.recalculate_labels_of_clinic", str(instance.pk))
