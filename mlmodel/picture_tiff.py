"""TIFF: which kinds are read, whether all strips are whole, and the kind that Pillow scrambles.

libtiff decodes on after damage without a word, so each strip is checked here by what its compression allows.
"""

import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin

from mlmodel.picture_errors import BrokenPicture, UnsupportedPicture
from mlmodel.picture_jpeg import decode_jpeg

RAW_FILE = "This is a camera's raw file. Send the photograph as JPEG, or as a TIFF that was developed from it."
UNUSUAL_NUMBERS = (
    "The picture's pixels are stored as numbers of an unusual kind. Save it as a JPEG, or as a TIFF or PNG with 8 or "
    "16 bits a colour, then send that."
)
UNUSUAL_COMPRESSION = (
    "This TIFF is compressed in a way that is not read here. Save it as a JPEG, or as a TIFF with LZW or ZIP "
    "compression, then send that."
)

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _ROWS = 256, 257, 258, 259, 262, 277, 278
_STRIPS, _STRIP_BYTES, _PLANAR, _TILES, _TILE_BYTES, _JPEG_TABLES, _NUMBERS = 273, 279, 284, 324, 325, 347, 339
_NEW_SUBFILE, _DNG_VERSION, _TILE_WIDTH, _TILE_HEIGHT, _ORIENTATION, _ICC = 254, 50706, 322, 323, 274, 34675
_NONE, _LZW, _JPEG, _PACKBITS, _LZMA = 1, 5, 7, 32773, 34925
_DEFLATE = frozenset({8, 32946})
_READ_COMPRESSIONS = frozenset({_NONE, _LZW, _JPEG, _PACKBITS, _LZMA}) | _DEFLATE
# White or black is zero, RGB, palette, CMYK, YCbCr, CIELab.
_READ_PHOTOMETRICS = frozenset({0, 1, 2, 3, 5, 6, 8})
_RAW_PHOTOMETRICS = frozenset({32803, 34892})
_UNSIGNED = frozenset({1, 4})


class Tiff:
    """The first directory of a TIFF file."""

    def __init__(self, data: bytes) -> None:
        """Read the directory.

        Raises:
            BrokenPicture: it cannot be read.
        """
        self.data = data
        try:
            stream = BytesIO(data)
            self.tags = TiffImagePlugin.ImageFileDirectory_v2(stream.read(16 if data[2] == 43 else 8))
            stream.seek(self.tags.next)
            self.tags.load(stream)
            self.bits = self._numbers(_BITS) or (1,)
            self.compression = self._number(_COMPRESSION, 1)
            self.is_planar = self._number(_PLANAR, 1) == 2 and self._number(_SAMPLES, 1) > 1
            self.width, self.height = self._number(_WIDTH, 0), self._number(_HEIGHT, 0)
            self.parts = self._parts()
        except Exception as error:  # what a hostile directory makes Pillow raise has no complete list
            raise BrokenPicture(reason=f"TIFF directory: {error!r}") from error

    def check(self) -> None:
        """Refuse what is not read, then what is not whole.

        Raises:
            UnsupportedPicture: it may be whole, but is not read.
            BrokenPicture: a strip or tile is damaged or lies beyond the end of the file.
        """
        self._refuse_unsupported()
        if not self.parts:
            raise BrokenPicture(reason="no strips")
        for start, length in self.parts:
            if length <= 0 or start + length > len(self.data):
                raise BrokenPicture(reason="a strip reaches beyond the end of the file")
        for index, (start, length) in enumerate(self.parts):
            self._check_part(index, self.data[start : start + length])

    def _check_part(self, index: int, part: bytes) -> None:
        """Check one strip or tile. LZW and LZMA are left to libtiff, which complains of damage to them."""
        if self.compression in _DEFLATE:
            _check_deflate(part)
        elif self.compression == _JPEG:
            decode_jpeg(self._whole_jpeg(part))
        elif self.compression == _PACKBITS and _unpacked_length(part) != self._length_of_part(index):
            raise BrokenPicture(reason="a strip of another length")

    def planes(self) -> Image.Image | None:
        """Return an uncompressed picture of 16-bit planes, which Pillow scrambles; None for any other."""
        if not (self.is_planar and self.compression == _NONE and self.bits[0] == 16):
            return None
        if _TILES in self.tags or self._number(_PHOTOMETRIC, -1) != 2:
            raise UnsupportedPicture(UNUSUAL_NUMBERS, reason="16-bit planes")
        width, height, samples = self.width, self.height, self._number(_SAMPLES, 1)
        plane = width * height * 2
        order = ">" if self.data[:2] == b"MM" else "<"
        stored = b"".join(self.data[start : start + length] for start, length in self.parts)
        if samples < 3 or len(stored) != plane * samples:
            raise BrokenPicture(reason="planes of another size")
        values = np.frombuffer(stored, dtype=f"{order}u2").reshape(samples, height, width)
        image = Image.fromarray(np.ascontiguousarray(np.moveaxis(values[:3] >> 8, 0, -1).astype(np.uint8)))
        image.info = {"icc_profile": self.tags[_ICC]} if _ICC in self.tags else {}
        image.getexif()[_ORIENTATION] = self._number(_ORIENTATION, 1)
        return image

    def _refuse_unsupported(self) -> None:
        photometric = self._number(_PHOTOMETRIC, 1)
        # Raw files look like TIFF and lead with a thumbnail, which would be judged in the photograph's place.
        is_thumbnail = self._number(_NEW_SUBFILE, 0) & 1 == 1
        is_canon = self.data[8:10] == b"CR"
        if is_thumbnail or is_canon or _DNG_VERSION in self.tags or photometric in _RAW_PHOTOMETRICS:
            raise UnsupportedPicture(RAW_FILE)
        if self.compression not in _READ_COMPRESSIONS:
            raise UnsupportedPicture(UNUSUAL_COMPRESSION, reason=f"compression {self.compression}")
        numbers = set(self._numbers(_NUMBERS) or (1,))
        if not numbers <= _UNSIGNED or max(self.bits) > 16 or len(set(self.bits)) > 1:
            raise UnsupportedPicture(UNUSUAL_NUMBERS, reason=f"format {numbers}, bits {self.bits}")
        if photometric not in _READ_PHOTOMETRICS:
            raise UnsupportedPicture(reason=f"photometric {photometric}")

    def _whole_jpeg(self, part: bytes) -> bytes:
        """Return a strip with the tables that all strips share."""
        tables = self.tags.get(_JPEG_TABLES, b"")
        return part if len(tables) < 4 else part[:2] + tables[2:-2] + part[2:]

    def _parts(self) -> list[tuple[int, int]]:
        starts, lengths = self._numbers(_TILES), self._numbers(_TILE_BYTES)
        if not starts:
            starts, lengths = self._numbers(_STRIPS), self._numbers(_STRIP_BYTES)
        if not lengths and len(starts) == 1:  # may be left out where there is one strip
            lengths = (len(self.data) - starts[0],)
        return list(zip(starts, lengths, strict=True))

    def _length_of_part(self, index: int) -> int:
        """Return how many bytes a strip or tile holds once it is unpacked."""
        width, height = self.width, self.height
        samples = 1 if self.is_planar else self._number(_SAMPLES, 1)
        if _TILES in self.tags:
            width, rows = self._number(_TILE_WIDTH, 0), self._number(_TILE_HEIGHT, 0)
        else:
            rows = min(self._number(_ROWS, height), height)
            strips = -(-height // max(rows, 1))
            rows = min(rows, height - rows * (index % max(strips, 1)))
        return rows * ((width * samples * self.bits[0] + 7) // 8)

    def _number(self, tag: int, default: int) -> int:
        numbers = self._numbers(tag)
        return numbers[0] if numbers else default

    def _numbers(self, tag: int) -> tuple[int, ...]:
        value: Any = self.tags.get(tag)
        if value is None:
            return ()
        return tuple(int(each) for each in value) if isinstance(value, tuple) else (int(value),)


def _check_deflate(part: bytes) -> None:
    """Refuse a strip whose checksum is wrong or missing."""
    reader = zlib.decompressobj()
    try:
        waiting = part
        while waiting and not reader.eof:
            reader.decompress(waiting, 1 << 20)
            waiting = reader.unconsumed_tail
    except zlib.error as error:
        raise BrokenPicture(reason=str(error)) from error
    if not reader.eof:
        raise BrokenPicture(reason="incomplete strip")


def _unpacked_length(part: bytes) -> int:
    """Return how many bytes PackBits makes of a strip."""
    at, length = 0, 0
    while at < len(part):
        count = part[at]
        if count < 128:
            length += min(count + 1, len(part) - at - 1)
            at += count + 2
        else:
            length += 257 - count if count > 128 else 0
            at += 2 if count > 128 else 1
    return length
