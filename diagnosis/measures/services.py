"""Measure photographs and store the results: outline, ABCD, and the stated width."""

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import Image
from diagnosis.images.originals import picture_of
from diagnosis.measures.models import Measurement, PictureScale
from diagnosis.measures.scales import Scale, scale_of
from mlmodel.segmentation.measuring import Measured, measure_picture
from mlmodel.segmentation.segmenter import get_segmenter
from patients.edits import ensure_nothing_is_lost
from patients.models import Member, Visit
from patients.services.same_clinic import ensure_same_clinic

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredMeasures:
    """A stored ``Measurement``'s values, and the scale of the photograph, if it is known."""

    values: dict[str, Any]
    segmenter_sha256: str
    scale: Scale | None


def measures_of(*, image: Image) -> StoredMeasures:
    """Return the shipped segmenter's measurements of a stored photograph.

    A photograph is measured when it is analysed. If this segmenter has not measured it, that is done now and the
    result is added to those of earlier segmenters. Slow the first time: do not call inside a transaction.

    Raises:
        CannotReadOriginal: the stored file is missing or corrupt.
        ReleaseError: the shipped segmenter is missing or was altered.
    """
    sha256 = get_segmenter().sha256
    measures = _stored(image, sha256)
    if measures is not None:
        return measures
    store_measures(image=image, measured=measure_picture(picture_of(image)))
    measures = _stored(image, sha256)
    assert measures is not None, "measurements are never deleted"
    return measures


def store_measures(*, image: Image, measured: Measured) -> None:
    """Store a photograph's measurements, unless the same segmenter's are stored already."""
    # Two requests may measure at once: the constraint keeps one row, and both results are the same.
    Measurement.objects.get_or_create(
        image=image, segmenter_sha256=measured.segmenter_sha256, defaults={"values": measured.as_values()}
    )


def measure_visit(*, visit: Visit) -> None:
    """Measure every analysed photograph of a visit that has not been measured, for the visit's report.

    Slow the first time: do not call inside a transaction.
    """
    analysed = visit.images.in_use().filter(predictions__isnull=False).distinct()
    for image in analysed.exclude(measurements__segmenter_sha256=get_segmenter().sha256):
        measures_if_readable(image=image)


def measures_if_readable(*, image: Image) -> StoredMeasures | None:
    """Return ``measures_of``, or None if the original cannot be read: the result is then shown without them."""
    try:
        return measures_of(image=image)
    except CannotReadOriginal:
        log.warning("The original of photograph %s cannot be read, so it was not measured.", image.pk)
        return None


def _stored(image: Image, sha256: str) -> StoredMeasures | None:
    row = Measurement.objects.filter(image=image, segmenter_sha256=sha256).first()
    if row is None:
        return None
    return StoredMeasures(values=row.values, segmenter_sha256=sha256, scale=scale_of(image))


def newest_scale(image: Image) -> PictureScale | None:
    return PictureScale.objects.filter(image=image).select_related("member__user").first()


def state_scale(*, image: Image, by: Member, width_mm: Decimal, made_from: str | None = None) -> PictureScale:
    """Store how wide the photograph is. A correction is another row; the newest counts.

    ``made_from`` is the token of the form; see ``patients.edits``.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        ChangedMeanwhile: a colleague has stated another width since the form was rendered.
    """
    ensure_same_clinic(image.visit.patient, by)
    with transaction.atomic():
        Image.objects.select_for_update(of=("self",)).get(pk=image.pk)
        newest = newest_scale(image)
        if newest is not None:
            ensure_nothing_is_lost(newest, {"width_mm": width_mm}, made_from)
        return PictureScale.objects.create(image=image, member=by, width_mm=width_mm)
