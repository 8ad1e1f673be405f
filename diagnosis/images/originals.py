"""Files that belong to rows: written before the rows are committed, gone again if they are not, and read back."""

from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import Image
from mlmodel.pictures.picture import Picture, decode
from mlmodel.pictures.picture_errors import PictureError


def picture_of(image: Image) -> Picture:
    """Return the kept original of a photograph, decoded.

    Raises:
        CannotReadOriginal: the file is gone or broken.
    """
    try:
        with image.original.open("rb") as file:
            return decode(file.read())
    except (OSError, PictureError) as error:
        raise CannotReadOriginal from error
