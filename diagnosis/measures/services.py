"""Keep what was measured on a photograph: outline and ABCD, and how wide somebody says that it is."""

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Subquery

from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import Image
from diagnosis.images.originals import picture_of
from diagnosis.measures.models import Measurement, PictureScale
from mlmodel.segmentation.measuring import Measured, measure_picture
from mlmodel.segmentation.segmenter import get_segmenter
from patients.edits import ensure_nothing_is_lost
from patients.models import Member, Visit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptMeasures:
    """What is kept of a photograph: a ``Measurement``'s values, and the width that was stated last, if any was."""

    values: dict[str, Any]
    segmenter_sha256: str
    width_mm: Decimal | None


def measures_of(*, image: Image) -> KeptMeasures:
    """Return what the shipped segmenter found on a kept photograph.

    A photograph is measured when it is judged; one that this segmenter has not seen is measured now, and the answer
    joins those of earlier segmenters. Slow the first time: not inside a transaction.

    Raises:
        CannotReadOriginal: the kept file is gone or broken.
        ReleaseError: the shipped segmenter is missing or was altered.
    """
    sha256 = get_segmenter().sha256
    found = _kept(image, sha256)
    if found is not None:
        return found
    keep_measures(image=image, measured=measure_picture(picture_of(image)))
    kept = _kept(image, sha256)
    assert kept is not None, "measurements are never deleted"
    return kept


def keep_measures(*, image: Image, measured: Measured) -> None:
    """Keep what was measured on a photograph, unless the same segmenter's measures are kept already."""
    # Two may have looked for the first time at once: the constraint keeps one row, and both say the same.
    Measurement.objects.get_or_create(
        image=image, segmenter_sha256=measured.segmenter_sha256, defaults={"values": measured.as_values()}
    )


def measure_visit(*, visit: Visit) -> None:
    """Measure every judged photograph of a visit that has not been measured, so that its report can say so.

    Slow the first time: not inside a transaction.
    """
    judged = visit.images.in_use().filter(predictions__isnull=False).distinct()
    for image in judged.exclude(measurements__segmenter_sha256=get_segmenter().sha256):
        measures_if_readable(image=image)


def measures_if_readable(*, image: Image) -> KeptMeasures | None:
    """``measures_of``, or None where the original cannot be read: a result is shown without its measures then."""
    try:
        return measures_of(image=image)
    except CannotReadOriginal:
        log.warning("The original of photograph %s cannot be read, so it was not measured.", image.pk)
        return None


def _kept(image: Image, sha256: str) -> KeptMeasures | None:
    """Read measurement and scale at once."""
    stated = PictureScale.objects.filter(image=image).values("width_mm")[:1]
    row = (
        Measurement.objects.filter(image=image, segmenter_sha256=sha256)
        .annotate(width_mm=Subquery(stated))
        .values_list("values", "width_mm")
        .first()
    )
    return None if row is None else KeptMeasures(values=row[0], segmenter_sha256=sha256, width_mm=row[1])


def newest_scale(image: Image) -> PictureScale | None:
    return PictureScale.objects.filter(image=image).select_related("member__user").first()


def state_scale(*, image: Image, by: Member, width_mm: Decimal, made_from: str | None = None) -> PictureScale:
    """Keep how wide the photograph is. A correction is another row; the newest counts.

    ``made_from`` is the token of the form; see ``patients.edits``.

    Raises:
        PermissionDenied: ``by`` is of another clinic.
        ChangedMeanwhile: somebody has stated another width since the form was made.
    """
    if by.clinic_id != image.visit.patient.clinic_id:
        raise PermissionDenied
    with transaction.atomic():
        Image.objects.select_for_update(of=("self",)).get(pk=image.pk)
        newest = newest_scale(image)
        if newest is not None:
            ensure_nothing_is_lost(newest, {"width_mm": width_mm}, made_from)
        return PictureScale.objects.create(image=image, member=by, width_mm=width_mm)
