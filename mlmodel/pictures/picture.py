"""From the bytes that somebody sent to pixels that can be trusted, and from pixels to what the network and people see.

``decode`` accepts JPEG, PNG, WebP, TIFF, HEIC, BMP and GIF, told from their bytes and never from a name; the first
frame of what moves (GIF, WebP, APNG), the main picture of what has others beside it (HEIC, a phone's JPEG), and no
TIFF of several pages. EXIF (or XMP) orientation is applied; transparent parts become white; palettes, grey, 1-bit,
16-bit, CMYK and LAB become 8-bit RGB; colours are converted to sRGB by an embedded ICC profile; a profile that cannot
be read is ignored, one of other pixels refused. Limits: bytes before anything else, pixels by the header before any
is decoded, time by a process that is killed (see picture_worker). What is truncated or corrupt is refused, never
half-shown.
"""

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import numpy as np
from PIL import Image

from mlmodel.pictures.decode_worker import decode_elsewhere
from mlmodel.pictures.formats import refusal_of, sniff
from mlmodel.pictures.picture_errors import (
    DECODE_SECONDS,
    MAX_BYTES,
    MAX_PIXELS,
    BrokenPicture,
    DecodeTimeout,
    EmptyFile,
    NotAPicture,
    PictureError,
    TooLarge,
    TooManyPixels,
    UnsupportedPicture,
)

__all__ = [
    "DECODE_SECONDS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "SQUARE_SIDE",
    "BrokenPicture",
    "DecodeTimeout",
    "EmptyFile",
    "NotAPicture",
    "Picture",
    "PictureError",
    "TooLarge",
    "TooManyPixels",
    "UnsupportedPicture",
    "centre_square",
    "decode",
    "encode_jpeg",
    "network_input",
]

# Of the square that quality, colours and structures are measured on.
SQUARE_SIDE = 224


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded photograph. ``pixels``: uint8 (height, width, 3), sRGB, upright, read-only."""

    pixels: np.ndarray
    format: str
    media_type: str

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @cached_property
    def square(self) -> np.ndarray:
        """The centre square as uint8 (224, 224, 3): what is measured on it means the same whatever camera it was."""
        image = Image.fromarray(centre_square(self.pixels))
        size = (SQUARE_SIDE, SQUARE_SIDE)
        return np.asarray(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0))


def decode(data: bytes) -> Picture:
    """Return the picture that ``data`` holds.

    Thread-safe. Raises a PictureError: EmptyFile, TooLarge (over ``MAX_BYTES``), NotAPicture (no accepted format),
    TooManyPixels (over ``MAX_PIXELS``), BrokenPicture (truncated or corrupt), DecodeTimeout (after
    ``DECODE_SECONDS``). A picture of any size from 1×1 on is returned: whether it is of use is for quality.judge.
    """
    if not data:
        raise EmptyFile
    if len(data) > MAX_BYTES:
        raise TooLarge
    known = sniff(data)
    if known is None:
        raise refusal_of(data)
    pixels = decode_elsewhere(data, seconds=DECODE_SECONDS)
    pixels.flags.writeable = False
    return Picture(pixels=pixels, format=known.name, media_type=known.media_type)


def network_input(pixels: np.ndarray, *, side: int, detail: int) -> np.ndarray:
    """Return what a network is shown of uint8 (H, W, 3): the centre square as uint8 (side, side, 3).

    Squares larger than ``detail`` are first reduced to it: finer detail than its training pictures had is strange to
    a network. Both steps use Pillow's bicubic filter (antialiased when it reduces), as training does; the two must not
    drift apart.
    """
    image = Image.fromarray(centre_square(pixels))
    if image.width > detail:
        image = image.resize((detail, detail), Image.Resampling.BICUBIC)
    return np.array(image.resize((side, side), Image.Resampling.BICUBIC))


def centre_square(pixels: np.ndarray) -> np.ndarray:
    """Return the largest centred square of (H, W, 3), as a view; an odd pixel more is left at the bottom or right."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def encode_jpeg(pixels: np.ndarray, *, longest_side: int, quality: int = 88) -> bytes:
    """Return uint8 (H, W, 3) as a progressive RGB JPEG without any metadata, reduced to ``longest_side`` if larger."""
    image = Image.fromarray(pixels)
    scale = longest_side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, progressive=True, optimize=True)
    return out.getvalue()
