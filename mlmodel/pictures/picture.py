"""Decoding of uploaded pictures to trustworthy pixels, and their preparation for the network and for display.

``decode`` accepts JPEG, PNG, WebP, TIFF, HEIC, BMP and GIF, recognised by their content and never by name. It takes
the first frame of animations (GIF, WebP, APNG) and the main picture of files with several (HEIC, a phone's JPEG), but
refuses a TIFF of several pages. EXIF (or XMP) orientation is applied; transparent parts become white; palettes, grey,
1-bit, 16-bit, CMYK and LAB become 8-bit RGB; colours are converted to sRGB by an embedded ICC profile. An unreadable
profile is ignored; one for another kind of pixels is refused. Limits: the file size is checked first, the number of
pixels from the header before decoding, and the time by killing the worker process (see ``decode_worker``). Truncated
and corrupt pictures are refused, never partly shown.
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

# The side of the square on which quality, colours and structures are measured.
SQUARE_SIDE = 224
# Pillow first averages pixels by whole factors where at least twice as many would be left as this says.
_REDUCING_GAP = 3.0


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
        """The centre square as uint8 (224, 224, 3), for measures that do not depend on the camera's resolution."""
        image = Image.fromarray(centre_square(self.pixels))
        size = (SQUARE_SIDE, SQUARE_SIDE)
        return np.asarray(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP))

    def network_input(self, *, side: int, detail: int) -> np.ndarray:
        """Return ``network_input`` of the pixels, which takes its first step from ``square`` where they agree."""
        if detail == SQUARE_SIDE < min(self.width, self.height) < 2 * _REDUCING_GAP * SQUARE_SIDE:
            return np.array(Image.fromarray(self.square).resize((side, side), Image.Resampling.BICUBIC))
        return network_input(self.pixels, side=side, detail=detail)


def decode(data: bytes) -> Picture:
    """Return the picture in ``data``.

    Thread-safe. Raises a PictureError: EmptyFile, TooLarge (over ``MAX_BYTES``), NotAPicture (no accepted format),
    TooManyPixels (over ``MAX_PIXELS``), BrokenPicture (truncated or corrupt), DecodeTimeout (after
    ``DECODE_SECONDS``). Pictures of any size from 1×1 are accepted; ``quality.judge`` decides whether they are usable.
    """
    if not data:
        raise EmptyFile
    if len(data) > MAX_BYTES:
        raise TooLarge
    format_ = sniff(data)
    if format_ is None:
        raise refusal_of(data)
    pixels = decode_elsewhere(data, seconds=DECODE_SECONDS)
    pixels.flags.writeable = False
    return Picture(pixels=pixels, format=format_.name, media_type=format_.media_type)


def network_input(pixels: np.ndarray, *, side: int, detail: int) -> np.ndarray:
    """Return a network's input for uint8 (H, W, 3): the centre square as uint8 (side, side, 3).

    Squares larger than ``detail`` are first reduced to it, since finer detail was not in the training photographs.
    Both steps use Pillow's bicubic filter (antialiased when it reduces) and must stay the same as in training.
    """
    image = Image.fromarray(centre_square(pixels))
    if image.width > detail:
        image = image.resize((detail, detail), Image.Resampling.BICUBIC)
    return np.array(image.resize((side, side), Image.Resampling.BICUBIC))


def centre_square(pixels: np.ndarray) -> np.ndarray:
    """Return the largest centred square of (H, W, 3) as a view; an odd pixel is cut off at the bottom or right."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def encode_jpeg(pixels: np.ndarray, *, longest_side: int, quality: int = 88) -> bytes:
    """Return uint8 (H, W, 3) as a progressive RGB JPEG without metadata, reduced to ``longest_side`` if larger."""
    image = Image.fromarray(pixels)
    scale = longest_side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = BytesIO()
    image.save(out, "JPEG", quality=quality, progressive=True, optimize=True)
    return out.getvalue()
