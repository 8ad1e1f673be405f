"""Re-score the archive after a switch of versions: new predictions from stored features, next to the old ones.

The photographs themselves are not opened. Heat maps, which need them, are drawn on first request
(``diagnosis.assessment.heat_maps``).
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from dermascan.core.background import enqueue_on_commit
from diagnosis.images.clinic_analysers import AnalyserIn, for_clinics
from diagnosis.images.models import ImageFeatures, Prediction
from diagnosis.images.reliability import is_smartphone
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.similar.embeddings import read_vector
from mlmodel.versions.models import DecisionKind
from mlmodel.versions.serving import Serving, now_serving

_BATCH_SIZE = 50


def rescore_archive() -> Iterator[int]:
    """Add the active version's prediction to every photograph that an earlier version analysed; yield counts.

    Safe to run again and concurrently: photographs that have the prediction are skipped. It ends early if another
    version becomes active.
    """
    serving = now_serving()
    analyser_in = for_clinics(serving.analyser)
    while batch := list(_pending(serving).select_related("image__visit__patient").order_by("pk")[:_BATCH_SIZE]):
        if now_serving().version.pk != serving.version.pk:
            return
        # One transaction: a run killed in between would leave photographs with outdated queue entries.
        with transaction.atomic():
            predictions = [_prediction(row, serving, analyser_in) for row in batch]
            Prediction.objects.bulk_create(predictions, ignore_conflicts=True)
            # Images are locked in the order of their keys, as in ``lock_image``.
            for row in sorted(batch, key=lambda row: row.image_id):
                refresh_queue_entry(image=row.image)
        yield len(batch)
    # A roll-back adds no predictions, but that version's are shown again, so the queue changes.
    if serving.version.decisions.filter(kind=DecisionKind.ROLL_BACK).exists():
        yield from _refresh_the_queue(serving)


def does_the_archive_wait() -> bool:
    """Return whether an earlier version analysed a photograph that the active one has not."""
    return _pending(now_serving()).exists()


def rescore_in_background(**_signal: Any) -> None:
    """Send the re-scoring task after the current transaction commits."""
    enqueue_on_commit("diagnosis.assessment.tasks.rescore_the_archive")


def _pending(serving: Serving) -> QuerySet[ImageFeatures]:
    predictions = Prediction.objects.filter(image=OuterRef("image"))
    return ImageFeatures.objects.filter(
        Exists(predictions),
        ~Exists(predictions.filter(model_version=serving.version)),
        backbone_sha256=serving.version.backbone_sha256,
    )


def _prediction(row: ImageFeatures, serving: Serving, analyser_in: AnalyserIn) -> Prediction:
    """Return the version's prediction for one photograph, unsaved and without a heat map."""
    analyser, settings = analyser_in(row.image.visit.patient.clinic_id)
    assessment = analyser.assess(read_vector(row.vector), {}, is_smartphone=is_smartphone(row.image.measures))
    return Prediction(
        image=row.image,
        model_version=serving.version,
        code=assessment.code,
        malignant_probability=assessment.malignant_probability,
        tier=str(assessment.tier),
        answer_settings=settings,
        was_rescored=True,
        **assessment.probabilities,
    )


def _refresh_the_queue(serving: Serving) -> Iterator[int]:
    rows = Prediction.objects.filter(model_version=serving.version).select_related("image").order_by("pk")
    last: Any = None
    while batch := list(rows.filter(pk__gt=last)[:_BATCH_SIZE] if last else rows[:_BATCH_SIZE]):
        for row in batch:
            refresh_queue_entry(image=row.image)
        last = batch[-1].pk
        yield len(batch)
