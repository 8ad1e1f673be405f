"""Photographs for tests: real ones, changed ones, and their way in."""

import hashlib
import io
import uuid
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile
from PIL import Image as PillowImage
from PIL import ImageFilter

from diagnosis.assessment.uploads import add_image
from diagnosis.images.models import Image, Prediction
from diagnosis.measures.models import Measurement
from diagnosis.reviews.answers import Cause
from diagnosis.reviews.labels import derive_label
from diagnosis.reviews.models import Review
from mlmodel.segmentation.segmenter import get_segmenter
from mlmodel.taxonomy import CODES, MALIGNANT_CODES
from patients.models import Lesion, Member, Visit
from tests.conftest import PHOTOGRAPHS

SAMPLES = sorted(PHOTOGRAPHS.glob("*.jpg"))
# What a segmenter may have found on a photograph.
MEASURED = {
    "outline": [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]],
    "area": 0.36,
    "certainty": 0.95,
    "is_cut": False,
    "doubt": None,
    "asymmetry": {"shape": 0.123, "axes": [0.1, 0.146], "colour": 7.0},
    "border": {"compactness": 1.27, "solidity": 0.94},
    "colours": {"white": 0.0, "red": 0.04, "light_brown": 0.61, "dark_brown": 0.25, "blue_grey": 0.0, "black": 0.0},
    "hair": 0.0,
    "diameter": 0.6,
}


def sample(number: int) -> bytes:
    """One of the twelve committed photographs."""
    return SAMPLES[number].read_bytes()


def blurred(data: bytes) -> bytes:
    return _saved(PillowImage.open(io.BytesIO(data)).filter(ImageFilter.GaussianBlur(16)))


def with_gps(data: bytes) -> bytes:
    """The photograph as a phone sends it: with where it was taken, and turned on its side."""
    picture = PillowImage.open(io.BytesIO(data))
    exif = picture.getexif()
    exif[0x0112] = 6  # orientation: turn a quarter to the right to be upright
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 0.0), 3: "W", 4: (0.0, 7.0, 0.0)})
    return _saved(picture, exif=exif)


def upload_of(data: bytes, name: str = "photograph.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/jpeg")


def kept(visit: Visit, lesion: Lesion, by: Member, data: bytes) -> Image:
    """A photograph that was taken in by the door the clinic uses."""
    return add_image(visit=visit, lesion=lesion, upload=upload_of(data), by=by)


def bytes_of(file: FieldFile) -> bytes:
    """What is stored, read and closed again."""
    with file.open("rb") as opened:
        return opened.read()


def picture_of(file: FieldFile) -> PillowImage.Image:
    return PillowImage.open(io.BytesIO(bytes_of(file)))


def copies_of(image: Image, count: int) -> None:
    """More photographs like ``image``, rows only, each with its own prediction and review."""
    prediction, by = image.predictions.get(), image.uploaded_by
    for _ in range(count):
        copy = Image.objects.get(pk=image.pk)
        copy.pk = uuid.uuid4()
        copy.sha256 = hashlib.sha256(copy.pk.bytes).hexdigest()
        copy.save(force_insert=True)
        prediction.pk, prediction.image = uuid.uuid4(), copy
        prediction.save(force_insert=True)
        review = Review.objects.create(image=copy, reviewer=by, answer="nv", certainty="certain")
        derive_label(image=copy, cause=Cause.REVIEW, review=review)


def measured_as(image: Image, **changes: object) -> Measurement:
    """Have the shipped segmenter have found this on ``image``."""
    Measurement.objects.filter(image=image).delete()
    return Measurement.objects.create(
        image=image, segmenter_sha256=get_segmenter().sha256, values={**MEASURED, **changes}
    )


def predict(image: Image, *, code: str, tier: str) -> None:
    """Have the network have said ``code`` and ``tier`` of ``image``, as it may on another photograph."""
    benign, malignant = ("bkl" if code != "bkl" else "df"), ("akiec" if code != "akiec" else "bcc")
    shares = dict.fromkeys(CODES, 0.0) | {benign: 0.3, malignant: 0.3, code: 0.4}
    Prediction.objects.filter(image=image).update(
        code=code, tier=tier, malignant_probability=sum(shares[name] for name in MALIGNANT_CODES), **shares
    )


def stored_files(root: str) -> set[str]:
    """Every file under the media folder."""
    return {str(path.relative_to(root)) for path in Path(root).rglob("*") if path.is_file()}


def _saved(picture: PillowImage.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=92, **options)
    return file.getvalue()
