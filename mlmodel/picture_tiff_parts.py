"""TIFFs that are put together here, from strips and tiles: what Pillow scrambles, and JPEG, which is read strictly."""

from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from mlmodel.picture_errors import UNUSUAL_COLOURS, BrokenPicture, UnsupportedPicture
from mlmodel.picture_jpeg import decode_jpeg, read_layout
from mlmodel.picture_tiff import JPEG_COMPRESSION, NO_COMPRESSION, UNUSUAL_NUMBERS, Tiff

_WHITE_IS_ZERO, _GREY, _RGB, _CMYK, _YCBCR = 0, 1, 2, 5, 6
# By photometric and number of samples: the mode, and the colours in the words of an Adobe marker.
_JPEG_KINDS = {
    (_WHITE_IS_ZERO, 1): ("L", 0),
    (_GREY, 1): ("L", 0),
    (_RGB, 3): ("RGB", 0),
    (_YCBCR, 3): ("RGB", 1),
    (_CMYK, 4): ("CMYK", 0),
}

Pixels = npt.NDArray[np.uint8]


def read_parts(tiff: Tiff) -> Image.Image | None:
    """Return the picture of a TIFF that was checked, or None where Pillow is to read it.

    Raises:
        BrokenPicture: a part is damaged, or of another size than it should be.
        UnsupportedPicture: it may be whole, but is not read.
    """
    if tiff.compression == JPEG_COMPRESSION:
        image = _of_jpegs(tiff)
    elif tiff.is_planar and tiff.compression == NO_COMPRESSION and tiff.bits[0] == 16:
        image = _of_planes(tiff)
    else:
        return None
    image.info = {"icc_profile": tiff.profile} if tiff.profile else {}
    image.getexif()[ExifTags.Base.Orientation] = tiff.orientation
    return image


def _of_planes(tiff: Tiff) -> Image.Image:
    """Put an uncompressed picture of 16-bit planes together, which Pillow scrambles."""
    if tiff.is_tiled or tiff.photometric != _RGB:
        raise UnsupportedPicture(UNUSUAL_NUMBERS, reason="16-bit planes")
    plane = tiff.width * tiff.height * 2
    order = ">" if tiff.data[:2] == b"MM" else "<"
    stored = b"".join(tiff.data[start : start + length] for start, length in tiff.parts)
    if tiff.samples < 3 or len(stored) != plane * tiff.samples:
        raise BrokenPicture(reason="planes of another size")
    values = np.frombuffer(stored, dtype=f"{order}u2").reshape(tiff.samples, tiff.height, tiff.width)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(values[:3] >> 8, 0, -1).astype(np.uint8)))


def _of_jpegs(tiff: Tiff) -> Image.Image:
    """Put a picture of JPEGs together, each decoded once, and strictly."""
    kind = _JPEG_KINDS.get((tiff.photometric, tiff.samples))
    if kind is None or (tiff.is_planar and tiff.photometric == _YCBCR):
        reason = f"JPEG of {tiff.samples} samples, photometric {tiff.photometric}"
        raise UnsupportedPicture(UNUSUAL_COLOURS, reason=reason)
    mode, adobe = kind
    width, height = tiff.part_size
    if not (width > 0 and height > 0):
        raise BrokenPicture(reason="parts without a size")
    places = list(product(range(0, tiff.height, height), range(0, tiff.width, width)))
    planes = tiff.samples if tiff.is_planar else 1
    if len(tiff.parts) != len(places) * planes:
        raise BrokenPicture(reason=f"{len(tiff.parts)} parts instead of {len(places) * planes}")
    pixels = np.empty((tiff.height, tiff.width, tiff.samples), dtype=np.uint8)
    for index, (start, length) in enumerate(tiff.parts):
        plane, place = divmod(index, len(places))
        (top, left), part = places[place], _part(tiff, tiff.data[start : start + length], adobe)
        rows, columns = min(height, tiff.height - top), min(width, tiff.width - left)
        samples = slice(plane, plane + 1) if tiff.is_planar else slice(None)
        target = pixels[top : top + rows, left : left + columns, samples]
        if part.shape[0] < rows or part.shape[1] != width or part.shape[2] != target.shape[2]:
            raise BrokenPicture(reason=f"a part of {part.shape}")
        target[:] = part[:rows, :columns]
    if tiff.photometric == _WHITE_IS_ZERO:
        pixels = 255 - pixels
    if mode == "CMYK":
        return Image.frombytes("CMYK", (tiff.width, tiff.height), pixels.tobytes())
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def _part(tiff: Tiff, part: bytes, adobe: int) -> Pixels:
    """Return one JPEG, with the tables that all share, as uint8 (H, W, samples)."""
    whole = part if len(tiff.tables) < 4 else part[:2] + tiff.tables[2:-2] + part[2:]
    # One component is a plane or a grey picture, whatever the whole picture's colours are.
    pixels = decode_jpeg(whole, read_layout(whole, adobe=adobe))
    return pixels[..., None] if pixels.ndim == 2 else pixels
