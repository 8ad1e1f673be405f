"""Damage to files as caused by memory cards, cables and copying programs."""

from io import BytesIO

import pillow_heif
from PIL import Image

from tests.mlmodel.quartered import SAMPLES

SECTOR = 512


def photograph(index: int = 0) -> Image.Image:
    return Image.open(SAMPLES[index]).convert("RGB")


def encoded(image: Image.Image, plugin: str, **options) -> bytes:
    out = BytesIO()
    if plugin == "HEIF":
        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, plugin, **options)
    return out.getvalue()


def zeroed(data: bytes, at: float, length: int) -> bytes:
    """``data`` with ``length`` bytes of zeros, at a share of its middle half: past headers, before the end."""
    start = _place(data, at, length)
    return data[:start] + bytes(length) + data[start + length :]


def without(data: bytes, at: float, length: int = SECTOR) -> bytes:
    start = _place(data, at, length)
    return data[:start] + data[start + length :]


def _place(data: bytes, at: float, length: int) -> int:
    first, last = len(data) // 4, len(data) * 3 // 4 - length
    return first + int((last - first) * at)
