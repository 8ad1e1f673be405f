"""The stored originals of photographs."""

from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import Image
from mlmodel.pictures.picture import Picture, decode
from mlmodel.pictures.picture_errors import PictureError


def picture_of(image: Image) -> Picture:
    """Return the stored original of a photograph, decoded.

    Raises:
        CannotReadOriginal: the file is missing or corrupt.
    """
    try:
        with image.original.open("rb") as file:
            return decode(file.read())
    except (OSError, PictureError) as error:
        raise CannotReadOriginal from error
