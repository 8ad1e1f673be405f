"""Accept an uploaded photograph: decode, analyse and store it."""

import hashlib
import time
from dataclasses import dataclass
from functools import cached_property

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from dermascan.core.multipart import printable_name
from dermascan.core.once import Attempt, has_stored, note_stored
from dermascan.core.written_files import kept_only_on_success
from diagnosis.assessment.analysis import THUMBNAIL_SIDE, Reading, reading_of, record_prediction
from diagnosis.assessment.errors import AlreadyUploaded
from diagnosis.images.clinic_analysers import serving_in
from diagnosis.images.errors import DeviceOfAnotherClinic, ImplausibleTime
from diagnosis.images.facts import (
    StatedFacts,
    is_plausible_time,
    store_facts,
    with_camera_facts,
    with_device_defaults,
)
from diagnosis.images.full_pictures import DISPLAY_SIDE
from diagnosis.images.models import Image, ImageFeatures
from diagnosis.reviews.queue import refresh_queue_entry
from mlmodel.network.analyser import Analyser, Analysis
from mlmodel.network.side_by_side import side_by_side
from mlmodel.pictures.camera_facts import CameraFacts, read_camera_facts
from mlmodel.pictures.picture import Picture, decode, encode_jpeg
from mlmodel.pictures.picture_errors import MAX_BYTES
from mlmodel.versions.models import ModelVersion
from patients.models import Lesion, Member, Visit
from patients.services import LesionOfAnotherPatient
from patients.services.visits import VisitIsClosed, lock_open_visit

__all__ = [
    "AlreadyUploaded",
    "LesionOfAnotherPatient",
    "SentPhotograph",
    "VisitIsClosed",
    "add_image",
    "store_photograph",
]


NOTHING_STATED = StatedFacts()


@dataclass(frozen=True)
class SentPhotograph:
    """An uploaded file. It is decoded once, when ``picture`` is first accessed.

    Attributes:
        name: as stored and shown.
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
        """The decoded photograph.

        Raises:
            PictureError: the bytes are not a readable photograph.
        """
        return decode(self.data)

    @property
    def camera(self) -> CameraFacts:
        """What the file says about how it was taken."""
        return read_camera_facts(self.data, width=self.picture.width, height=self.picture.height)


def add_image(
    *,
    visit: Visit,
    lesion: Lesion,
    upload: UploadedFile,
    by: Member,
    attempt: Attempt | None = None,
    stated: StatedFacts = NOTHING_STATED,
) -> Image:
    """Store a photograph of ``lesion`` taken at ``visit``, with the network's answer or the reason for its refusal.

    Decoding and analysis happen before the transaction, which then stores everything or nothing.

    Args:
        attempt: the request, or the part of it, that sends the photograph. If the same attempt has stored it before,
            as with a double click, that photograph is returned.
        stated: how it was taken. What is missing comes from the device, and the time from the file.

    Raises:
        PictureError: the bytes are not a readable photograph.
        DeviceOfAnotherClinic, ImplausibleTime: see ``diagnosis.images.errors``.
        VisitIsClosed, LesionOfAnotherPatient, AlreadyUploaded: see ``diagnosis.assessment.errors``.
    """
    sent = SentPhotograph.of(upload)
    return store_photograph(visit=visit, lesion=lesion, sent=sent, by=by, attempt=attempt, stated=stated)


def store_photograph(
    *,
    visit: Visit,
    lesion: Lesion,
    sent: SentPhotograph,
    by: Member,
    attempt: Attempt | None = None,
    stated: StatedFacts = NOTHING_STATED,
) -> Image:
    """Store a photograph as ``add_image``, from a file that was already received."""
    try:
        return _store(visit, lesion, sent, by, attempt, stated)
    except AlreadyUploaded as already:
        if attempt is None or not has_stored(attempt, str(already.existing.pk)):
            raise
        return already.existing


def _store(
    visit: Visit,
    lesion: Lesion,
    sent: SentPhotograph,
    by: Member,
    attempt: Attempt | None,
    stated: StatedFacts,
) -> Image:
    _check(visit=visit, lesion=lesion, sha256=sent.sha256)  # early, to save the analysis; repeated under the lock
    _picture, serving = side_by_side(lambda: sent.picture, lambda: serving_in(visit.patient.clinic_id))
    stated = _completed(stated, visit=visit, sent=sent)
    analysed = _analyse(sent, serving.analyser)
    image = Image(
        visit=visit,
        lesion=lesion,
        uploaded_by=by,
        original_name=sent.name,
        media_type=sent.picture.media_type,
        sha256=sent.sha256,
        width=sent.picture.width,
        height=sent.picture.height,
        verdict=str(analysed.analysis.quality.verdict),
        measures=analysed.analysis.quality.measures,
    )
    with kept_only_on_success() as files:
        files.write(image.original, sent.data)
        files.write(image.display, analysed.display)
        files.write(image.thumbnail, analysed.thumbnail)
        with transaction.atomic():
            # Read again too: a colleague may have moved the lesion to another patient meanwhile.
            lesion = Lesion.objects.get(pk=lesion.pk)
            _check(visit=lock_open_visit(visit_id=visit.pk), lesion=lesion, sha256=sent.sha256)
            _save(image, analysed, version=serving.version)
            if not stated.is_empty:
                store_facts(image=image, stated=stated, by=by)
            if analysed.reading is not None:
                record_prediction(image=image, serving=serving, reading=analysed.reading, files=files)
            else:
                refresh_queue_entry(image=image)
            if attempt is not None:
                note_stored(attempt, str(image.pk))
    return image


def _completed(stated: StatedFacts, *, visit: Visit, sent: SentPhotograph) -> StatedFacts:
    """Return what was stated together with what the device and the file say. Refuses what cannot be, early."""
    now = timezone.now()
    if stated.device is not None and stated.device.clinic_id != visit.patient.clinic_id:
        raise DeviceOfAnotherClinic
    if stated.taken_at is not None and not is_plausible_time(stated.taken_at, uploaded_at=now):
        raise ImplausibleTime
    return with_camera_facts(with_device_defaults(stated), sent.camera, uploaded_at=now)


@dataclass(frozen=True)
class _Analysed:
    """An analysed photograph, with everything that will be stored."""

    analysis: Analysis
    reading: Reading | None
    display: bytes
    thumbnail: bytes


def _analyse(sent: SentPhotograph, analyser: Analyser) -> _Analysed:
    picture = sent.picture
    sides = (DISPLAY_SIDE, THUMBNAIL_SIDE)
    started = time.perf_counter()
    analysis = analyser.analyse(picture, measures=True)
    seconds = time.perf_counter() - started
    # Not beside the analysis, which has work for every core.
    (display, thumbnail), reading = side_by_side(
        lambda: [encode_jpeg(picture.pixels, longest_side=side) for side in sides],
        lambda: reading_of(analysis, picture, seconds=seconds),
    )
    return _Analysed(analysis=analysis, reading=reading, display=display, thumbnail=thumbnail)


def _check(*, visit: Visit, lesion: Lesion, sha256: str) -> None:
    if not visit.is_open:
        raise VisitIsClosed(visit)
    if lesion.patient_id != visit.patient_id:
        raise LesionOfAnotherPatient
    existing = Image.objects.filter(visit=visit, lesion=lesion, sha256=sha256).first()
    if existing is not None:
        raise AlreadyUploaded(existing)


def _save(image: Image, analysed: _Analysed, *, version: ModelVersion) -> None:
    image.save(force_insert=True)
    ImageFeatures.objects.create(
        image=image,
        backbone_sha256=version.backbone_sha256,
        vector=analysed.analysis.features.astype("<f2").tobytes(),
    )
