"""Pictures with all of the original's pixels, made on first request."""

from django.db import IntegrityError, transaction

from dermascan.core.written_files import kept_only_on_success
from diagnosis.images.models import FullPicture, Image
from diagnosis.images.originals import picture_of
from mlmodel.pictures.picture import encode_jpeg

# The longest side of the display picture, which is made for every photograph.
DISPLAY_SIDE = 1600
# Nearly lossless: a reader who enlarges a photograph must not mistake the encoder's work for structure.
QUALITY = 95


def full_picture_of(image: Image) -> FullPicture | None:
    """Return the picture with all pixels, making it if it is not stored yet; None where the display has them all.

    Slow the first time: do not call inside a transaction.

    Raises:
        CannotReadOriginal: the stored file is missing or corrupt.
    """
    if max(image.width, image.height) <= DISPLAY_SIDE:
        return None
    existing = FullPicture.objects.filter(image=image).first()
    if existing is not None:
        return existing
    picture = picture_of(image)
    encoded = encode_jpeg(picture.pixels, longest_side=max(picture.width, picture.height), quality=QUALITY)
    made = FullPicture(image=image)
    try:
        with kept_only_on_success() as files:
            files.write(made.file, encoded)
            with transaction.atomic():
                made.save(force_insert=True)
    except IntegrityError:
        # Another request made it at the same moment.
        return FullPicture.objects.get(image=image)
    return made
