"""Take in a photograph: read it, judge it, keep it."""

import hashlib
import time
from dataclasses import dataclass
from functools import cached_property

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from dermascan.core.multipart import printable_name
from dermascan.core.once import Attempt, has_stored, note_stored
from dermascan.core.written_files import kept_only_on_success
from diagnosis.assessment.analysis import DISPLAY_SIDE, THUMBNAIL_SIDE, Reading, reading_of, record_prediction
from diagnosis.assessment.errors import AlreadyUploaded, LesionOfAnotherPatient
from diagnosis.images.clinic_analysers import serving_in
from diagnosis.images.models import Image, ImageFeatures
from diagnosis.reviews.queue import refresh_queue_entry
from mlmodel.network.analyser import Analyser, Analysis
from mlmodel.network.side_by_side import side_by_side
from mlmodel.pictures.picture import Picture, decode, encode_jpeg
from mlmodel.pictures.picture_errors import MAX_BYTES
from mlmodel.versions.models import ModelVersion
from patients.models import Lesion, Member, Visit
from patients.services.visits import VisitIsClosed, lock_open_visit

__all__ = [
    "AlreadyUploaded",
    "LesionOfAnotherPatient",
    "SentPhotograph",
    "VisitIsClosed",
    "add_image",
    "keep_photograph",
]


@dataclass(frozen=True)
class SentPhotograph:
    """What was sent as a photograph. It is decoded once, when its picture is first asked for.

    Attributes:
        name: as it is stored and shown.
    """

    data: bytes
    name: str

    @classmethod
    def of(cls, upload: UploadedFile) -> "SentPhotograph":
        return cls(data=upload.read(MAX_BYTES + 1), name=printable_name(upload.name))

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def picture(self) -> Picture:
        """Raises PictureError: the bytes are not a photograph that can be read."""
        return decode(self.data)


def add_image(
    *, visit: Visit, lesion: Lesion, upload: UploadedFile, by: Member, attempt: Attempt | None = None
) -> Image:
    """Keep a photograph of ``lesion`` taken at ``visit``, with the network's answer or the reason for its refusal.

    Reading and judging happen before the transaction, which then stores all of it or nothing.

    Args:
        attempt: the request that brings it, or the part of it that does. Where the same one has brought it before, as
            a double click does, that photograph is returned.

    Raises:
        PictureError: the bytes are not a photograph that can be read.
        VisitIsClosed, LesionOfAnotherPatient, AlreadyUploaded: see ``diagnosis.assessment.errors``.
    """
    return keep_photograph(visit=visit, lesion=lesion, sent=SentPhotograph.of(upload), by=by, attempt=attempt)


def keep_photograph(
    *, visit: Visit, lesion: Lesion, sent: SentPhotograph, by: Member, attempt: Attempt | None = None
) -> Image:
    """As ``add_image``, of a photograph that was received, and perhaps decoded, before."""
    try:
        return _keep(visit, lesion, sent, by, attempt)
    except AlreadyUploaded as already:
        if attempt is None or not has_stored(attempt, str(already.existing.pk)):
            raise
        return already.existing


def _keep(visit: Visit, lesion: Lesion, sent: SentPhotograph, by: Member, attempt: Attempt | None) -> Image:
    _check(visit=visit, lesion=lesion, sha256=sent.sha256)  # now, so that no work is wasted; again under the lock
    serving = serving_in(visit.patient.clinic_id)
    seen = _look_at(sent, serving.analyser)
    image = Image(
        visit=visit,
        lesion=lesion,
        uploaded_by=by,
        original_name=sent.name,
        media_type=sent.picture.media_type,
        sha256=sent.sha256,
        width=sent.picture.width,
        height=sent.picture.height,
        verdict=str(seen.analysis.quality.verdict),
        measures=seen.analysis.quality.measures,
    )
    with kept_only_on_success() as files:
        files.write(image.original, sent.data)
        files.write(image.display, seen.display)
        files.write(image.thumbnail, seen.thumbnail)
        with transaction.atomic():
            _check(visit=lock_open_visit(visit_id=visit.pk), lesion=lesion, sha256=sent.sha256)
            _store(image, seen, version=serving.version)
            if seen.reading is not None:
                record_prediction(image=image, serving=serving, reading=seen.reading, files=files)
            else:
                refresh_queue_entry(image=image)
            if attempt is not None:
                note_stored(attempt, str(image.pk))
    return image


@dataclass(frozen=True)
class _Seen:
    """A photograph that was looked at: everything that is to be stored, nothing stored yet."""

    analysis: Analysis
    reading: Reading | None
    display: bytes
    thumbnail: bytes


def _look_at(sent: SentPhotograph, analyser: Analyser) -> _Seen:
    picture = sent.picture
    sides = (DISPLAY_SIDE, THUMBNAIL_SIDE)

    def analysed() -> tuple[Analysis, float]:
        started = time.perf_counter()
        return analyser.analyse(picture, measures=True), time.perf_counter() - started

    (display, thumbnail), (analysis, seconds) = side_by_side(
        lambda: [encode_jpeg(picture.pixels, longest_side=side) for side in sides], analysed
    )
    reading = reading_of(analysis, picture, seconds=seconds)
    return _Seen(analysis=analysis, reading=reading, display=display, thumbnail=thumbnail)


def _check(*, visit: Visit, lesion: Lesion, sha256: str) -> None:
    if not visit.is_open:
        raise VisitIsClosed
    if lesion.patient_id != visit.patient_id:
        raise LesionOfAnotherPatient
    existing = Image.objects.filter(visit=visit, lesion=lesion, sha256=sha256).first()
    if existing is not None:
        raise AlreadyUploaded(existing)


def _store(image: Image, seen: _Seen, *, version: ModelVersion) -> None:
    image.save(force_insert=True)
    ImageFeatures.objects.create(
        image=image,
        backbone_sha256=version.backbone_sha256,
        vector=seen.analysis.features.astype("<f2").tobytes(),
    )
