"""After a switch the active version reads the archive: from stored features, as new predictions beside the old ones.

The photographs themselves are not opened. What needs them, the heat map, is drawn when somebody first looks
(``diagnosis.assessment.heat_maps``).
"""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from dermascan.core.background import enqueue_on_commit
from diagnosis.images.clinic_analysers import AnalyserIn, for_clinics
from diagnosis.images.models import ImageFeatures, Prediction
from diagnosis.images.smartphones import is_smartphone
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.similar.embeddings import read_vector
from mlmodel.versions.models import DecisionKind
from mlmodel.versions.serving import Serving, now_serving

_AT_ONCE = 50


def rescore_archive() -> Iterator[int]:
    """Add the active version's prediction to every photograph that an earlier one judged; yield counts as it goes on.

    Safe to run again, and beside itself: a photograph that has its prediction is passed over. It ends early if another
    version is made the active one meanwhile.
    """
    serving = now_serving()
    here = for_clinics(serving.analyser)
    while found := list(_waiting(serving).select_related("image__visit__patient").order_by("pk")[:_AT_ONCE]):
        if now_serving().version.pk != serving.version.pk:
            return
        # As one: a run that is killed in between would pass over photographs whose place in the queue is an old one.
        with transaction.atomic():
            Prediction.objects.bulk_create([_prediction(row, serving, here) for row in found], ignore_conflicts=True)
            # Several are locked in the order of their keys, here as in ``lock_image``.
            for row in sorted(found, key=lambda row: row.image_id):
                refresh_queue_entry(image=row.image)
        yield len(found)
    # Going back to a version adds nothing, but what is shown, and so the queue, is that version's again.
    if serving.version.decisions.filter(kind=DecisionKind.ROLL_BACK).exists():
        yield from _refresh_the_queue(serving)


def does_the_archive_wait() -> bool:
    """Say whether there is a photograph that an earlier version judged and the active one has not."""
    return _waiting(now_serving()).exists()


def rescore_in_background(**_signal: Any) -> None:
    """Hand it to a worker."""
    enqueue_on_commit("diagnosis.assessment.tasks.rescore_the_archive")


def _waiting(serving: Serving) -> QuerySet[ImageFeatures]:
    judged = Prediction.objects.filter(image=OuterRef("image"))
    return ImageFeatures.objects.filter(
        Exists(judged),
        ~Exists(judged.filter(model_version=serving.version)),
        backbone_sha256=serving.version.backbone_sha256,
    )


def _prediction(row: ImageFeatures, serving: Serving, here: AnalyserIn) -> Prediction:
    """What the version says of one photograph, unsaved and without a heat map."""
    analyser, settings = here(row.image.visit.patient.clinic_id)
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
    while found := list(rows.filter(pk__gt=last)[:_AT_ONCE] if last else rows[:_AT_ONCE]):
        for row in found:
            refresh_queue_entry(image=row.image)
        last = found[-1].pk
        yield len(found)
