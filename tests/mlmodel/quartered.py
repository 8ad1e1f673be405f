"""A picture of four quarters, in any format: it tells every turn, mirror and shift of colour from every other."""

import struct
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

from tests.mlmodel import hostile
from tests.places import ROOT

SAMPLES = sorted((ROOT / "static" / "samples").glob("*.jpg"))
# Four quarters whose colours tell every turn and mirror from every other.
RED, GREEN, BLUE, GREY = (220, 40, 40), (40, 200, 60), (40, 60, 220), (128, 128, 128)


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    image = Image.new("RGB", (width, height), GREY)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def saved(image: Image.Image, plugin: str, **options) -> bytes:
    out = BytesIO()
    if plugin == "HEIF":
        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, plugin, **options)
    return out.getvalue()


def corners(pixels: np.ndarray) -> list[np.ndarray]:
    """The middle of each quarter: top left, top right, bottom left, bottom right."""
    height, width = pixels.shape[:2]
    rows, columns = (height // 4, 3 * height // 4), (width // 4, 3 * width // 4)
    return [pixels[row, column].astype(int) for row in rows for column in columns]


def assert_quarters(pixels: np.ndarray, expected=(RED, GREEN, BLUE, GREY), tolerance: int = 0) -> None:
    for found, wanted in zip(corners(pixels), expected, strict=True):
        assert np.abs(found - wanted).max() <= tolerance, (found, wanted)


def sixteen_bit_png() -> bytes:
    """Pillow cannot write 16-bit colour: one row of red rising, by hand."""
    row = b"\0" + b"".join(struct.pack(">HHH", value * 257, 0, 65535) for value in range(256))
    return hostile.png(width=256, height=1, bits=16, colour=2, rows=row)
