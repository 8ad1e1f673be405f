"""TIFFs that are assembled from strips and tiles without libtiff.

These are 16-bit planes, which Pillow scrambles, and kinds that libtiff would decode a second time after the check:
JPEG, and ZIP with the usual kinds of pixels.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from mlmodel.pictures.jpeg import decode_jpeg, read_layout
from mlmodel.pictures.picture_errors import MAX_PIXELS, UNUSUAL_COLOURS, BrokenPicture, UnsupportedPicture
from mlmodel.pictures.tiff import DEFLATE, JPEG_COMPRESSION, NO_COMPRESSION, UNUSUAL_NUMBERS, Tiff

_WHITE_IS_ZERO, _GREY, _RGB, _CMYK, _YCBCR = 0, 1, 2, 5, 6
# By photometric, number of samples and meaning of the extra samples: the mode of ZIP-compressed pixels, and its number
# of samples. Other kinds are read by libtiff after a check.
_ZIP_MODES = {
    (_WHITE_IS_ZERO, 1, ()): ("L", 1),
    (_GREY, 1, ()): ("L", 1),
    (_RGB, 3, ()): ("RGB", 3),
    (_RGB, 4, ()): ("RGBA", 4),
    (_RGB, 4, (0,)): ("RGB", 3),
    (_RGB, 4, (2,)): ("RGBA", 4),
    (_CMYK, 4, ()): ("CMYK", 4),
}
_DIFFERENCES = 2
# By photometric and number of samples: the mode, and the colour transform as in an Adobe marker.
_JPEG_KINDS = {
    (_WHITE_IS_ZERO, 1): ("L", 0),
    (_GREY, 1): ("L", 0),
    (_RGB, 3): ("RGB", 0),
    (_YCBCR, 3): ("RGB", 1),
    (_CMYK, 4): ("CMYK", 0),
}

Pixels = npt.NDArray[np.uint8]


def read_parts(tiff: Tiff) -> Image.Image | None:
    """Return the picture of a checked TIFF, or None if Pillow should read it.

    Raises:
        BrokenPicture: a part is damaged or has the wrong size.
        UnsupportedPicture: the kind is not supported.
    """
    image: Image.Image | None = None
    if tiff.compression == JPEG_COMPRESSION:
        image = _of_jpegs(tiff)
    elif tiff.compression in DEFLATE:
        image = _of_zips(tiff)
    elif tiff.is_planar and tiff.compression == NO_COMPRESSION and tiff.bits[0] == 16:
        image = _of_planes(tiff)
    if image is None:
        return None
    image.info = {"icc_profile": tiff.profile} if tiff.profile else {}
    image.getexif()[ExifTags.Base.Orientation] = tiff.orientation
    return image


def _of_planes(tiff: Tiff) -> Image.Image:
    """Return an uncompressed picture with 16-bit planes, which Pillow would scramble."""
    if tiff.is_tiled or tiff.photometric != _RGB:
        raise UnsupportedPicture(UNUSUAL_NUMBERS, reason="16-bit planes")
    plane = tiff.width * tiff.height * 2
    order = ">" if tiff.data[:2] == b"MM" else "<"
    stored = b"".join(tiff.data[start : start + length] for start, length in tiff.parts)
    if tiff.samples < 3 or len(stored) != plane * tiff.samples:
        raise BrokenPicture(reason="planes of another size")
    values = np.frombuffer(stored, dtype=f"{order}u2").reshape(tiff.samples, tiff.height, tiff.width)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(values[:3] >> 8, 0, -1).astype(np.uint8)))


def _of_zips(tiff: Tiff) -> Image.Image | None:
    """Return a picture from ZIP-compressed parts, each inflated once; check unusual kinds and return None."""
    mode, samples = _ZIP_MODES.get((tiff.photometric, tiff.samples, tiff.extras), ("", 0))
    is_usual = tiff.bits[0] in (8, 16) and tiff.predictor in (1, _DIFFERENCES) and not tiff.has_turned_bits
    if not (mode and is_usual and _has_all_parts(tiff)):
        tiff.check_zips()
        return None
    pixels = _assembled(tiff, _samples_of_zip)[..., :samples]
    if tiff.photometric == _WHITE_IS_ZERO:
        pixels = 255 - pixels
    if mode == "L":
        return Image.fromarray(pixels[..., 0])
    return Image.frombytes(mode, (tiff.width, tiff.height), pixels.tobytes())


def _samples_of_zip(tiff: Tiff, index: int) -> Pixels:
    """Return the samples of one part as uint8 (H, W, samples), with 16 bits reduced to 8 as in Pillow."""
    order = ">" if tiff.data[:2] == b"MM" else "<"
    values = np.frombuffer(tiff.inflated(index), dtype=f"{order}u{tiff.bits[0] // 8}")
    values = values.reshape(-1, tiff.part_size[0], 1 if tiff.is_planar else tiff.samples)
    values = values.astype(values.dtype.newbyteorder("="))
    if tiff.predictor == _DIFFERENCES:
        values = np.cumsum(values, axis=1, dtype=values.dtype)
    if tiff.bits[0] == 8:
        return values
    if tiff.samples == 1:
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return (values >> 8).astype(np.uint8)


def _assembled(tiff: Tiff, part_of: Callable[[Tiff, int], Pixels]) -> Pixels:
    """Return the whole picture as uint8 (H, W, samples) from its strips or tiles, one plane after the other."""
    if not _has_all_parts(tiff):
        raise BrokenPicture(reason=f"{len(tiff.parts)} parts of {tiff.part_size}")
    width, height = tiff.part_size
    places = list(product(range(0, tiff.height, height), range(0, tiff.width, width)))
    pixels = np.empty((tiff.height, tiff.width, tiff.samples), dtype=np.uint8)
    for index in range(len(tiff.parts)):
        plane, place = divmod(index, len(places))
        (top, left), part = places[place], part_of(tiff, index)
        rows, columns = min(height, tiff.height - top), min(width, tiff.width - left)
        samples = slice(plane, plane + 1) if tiff.is_planar else slice(None)
        target = pixels[top : top + rows, left : left + columns, samples]
        if part.shape[0] < rows or part.shape[1] != width or part.shape[2] != target.shape[2]:
            raise BrokenPicture(reason=f"a part of {part.shape}")
        target[:] = part[:rows, :columns]
    return pixels


def _has_all_parts(tiff: Tiff) -> bool:
    """Whether the number of parts fits the picture's size, and no part exceeds the limit for pictures."""
    width, height = tiff.part_size
    if not (width > 0 and height > 0) or width * height > MAX_PIXELS:
        return False
    planes = tiff.samples if tiff.is_planar else 1
    return len(tiff.parts) == planes * -(-tiff.height // height) * -(-tiff.width // width)


def _of_jpegs(tiff: Tiff) -> Image.Image:
    """Return a picture from JPEG parts, each decoded once, strictly."""
    kind = _JPEG_KINDS.get((tiff.photometric, tiff.samples))
    if kind is None or (tiff.is_planar and tiff.photometric == _YCBCR):
        reason = f"JPEG of {tiff.samples} samples, photometric {tiff.photometric}"
        raise UnsupportedPicture(UNUSUAL_COLOURS, reason=reason)
    mode, adobe = kind

    def part_of(tiff: Tiff, index: int) -> Pixels:
        start, length = tiff.parts[index]
        return _part(tiff, tiff.data[start : start + length], adobe)

    pixels = _assembled(tiff, part_of)
    if tiff.photometric == _WHITE_IS_ZERO:
        pixels = 255 - pixels
    if mode == "CMYK":
        return Image.frombytes("CMYK", (tiff.width, tiff.height), pixels.tobytes())
    return Image.fromarray(pixels[..., 0] if mode == "L" else pixels)


def _part(tiff: Tiff, part: bytes, adobe: int) -> Pixels:
    """Return one JPEG part, with the shared tables, as uint8 (H, W, samples)."""
    whole = part if len(tiff.tables) < 4 else part[:2] + tiff.tables[2:-2] + part[2:]
    # A single component is a plane or a grey picture, regardless of the picture's colours.
    pixels = decode_jpeg(whole, read_layout(whole, adobe=adobe))
    return pixels[..., None] if pixels.ndim == 2 else pixels
