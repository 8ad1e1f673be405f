"""TIFF: checks of supported kinds and of the integrity of all strips.

libtiff continues after damage without reporting it, so each strip is checked here as far as its compression allows.
"""

import zlib
from io import BytesIO
from typing import Any

from PIL import TiffImagePlugin

from mlmodel.pictures.picture_errors import BrokenPicture, UnsupportedPicture
from mlmodel.texts import Text
from mlmodel.texts import gettext_noop as _

RAW_FILE = Text(
    _("This is a camera's raw file. Send the photograph as JPEG, or as a TIFF that was developed from it.")
)
UNUSUAL_NUMBERS = Text(
    _(
        "The picture's pixels are stored in an unusual number format. Save it as a JPEG, or as a TIFF or PNG with 8 "
        "or 16 bits per colour, then send that."
    )
)
UNUSUAL_COMPRESSION = Text(
    _(
        "The compression of this TIFF is not supported. Save it as a JPEG, or as a TIFF with LZW or ZIP compression, "
        "then send that."
    )
)
SEVERAL_PICTURES = _(
    "This TIFF contains %(count)d pictures, and it is unclear which one to use. Save the one that shows the lesion as "
    "a separate file, then send that."
)

NO_COMPRESSION, JPEG_COMPRESSION = 1, 7
DEFLATE = frozenset({8, 32946})
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _ROWS = 256, 257, 258, 259, 262, 277, 278
_STRIPS, _STRIP_BYTES, _PLANAR, _TILES, _TILE_BYTES, _JPEG_TABLES, _NUMBERS = 273, 279, 284, 324, 325, 347, 339
_SUBFILE, _OLD_SUBFILE, _DNG_VERSION, _ORIENTATION, _ICC = 254, 255, 50706, 274, 34675
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_FILL_ORDER, _PREDICTOR, _EXTRA_SAMPLES = 266, 317, 338
_LZW, _PACKBITS, _LZMA = 5, 32773, 34925
_READ_COMPRESSIONS = frozenset({NO_COMPRESSION, _LZW, JPEG_COMPRESSION, _PACKBITS, _LZMA}) | DEFLATE
# In ``_SUBFILE``: a smaller version of another picture, or the mask of one. In ``_OLD_SUBFILE``: a smaller version.
_PREVIEW_OR_MASK, _OLD_PREVIEW = 1 | 4, 2
_MOST_DIRECTORIES = 1000
# White or black is zero, RGB, palette, CMYK, YCbCr, CIELab.
_READ_PHOTOMETRICS = frozenset({0, 1, 2, 3, 5, 6, 8})
_CMYK, _INK_SET = 5, 332
_RAW_PHOTOMETRICS = frozenset({32803, 34892})
_UNSIGNED = frozenset({1, 4})


class Tiff:
    """The first directory of a TIFF file.

    Attributes:
        data: the file.
        parts: start and length of each strip or tile.
        part_size: width and height of a full strip or tile, in pixels.
        bits: bits per sample.
        samples: samples per pixel.
        is_planar: whether the samples are in separate planes.
        photometric: the meaning of the samples.
        tables: the JPEG tables that all parts share.
        predictor: the filter applied before compression; 1 is none.
        extras: the meaning of samples in addition to the colours.
        profile: the ICC profile; empty without one.
        orientation: the EXIF orientation.
        others: the number of further pictures, without previews and masks.
    """

    def __init__(self, data: bytes) -> None:
        """Read the directory.

        Raises:
            BrokenPicture: it cannot be read.
        """
        self.data = data
        try:
            stream = BytesIO(data)
            self.tags = TiffImagePlugin.ImageFileDirectory_v2(_head(data))
            first = self.tags.next
            stream.seek(first)
            self.tags.load(stream)
            self.bits = self._numbers(_BITS) or (1,)
            self.compression = self._number(_COMPRESSION, 1)
            self.samples = self._number(_SAMPLES, 1)
            self.is_planar = self._number(_PLANAR, 1) == 2 and self.samples > 1
            self.photometric = self._number(_PHOTOMETRIC, 1)
            self.width, self.height = self._number(_WIDTH, 0), self._number(_HEIGHT, 0)
            self.is_tiled = _TILES in self.tags
            self.part_size = self._part_size()
            self.parts = self._parts()
            self.tables = bytes(self.tags.get(_JPEG_TABLES, b""))
            self.predictor = self._number(_PREDICTOR, 1)
            self.has_turned_bits = self._number(_FILL_ORDER, 1) != 1
            self.extras = self._numbers(_EXTRA_SAMPLES)
            self.profile = bytes(self.tags.get(_ICC, b""))
            self.orientation = self._number(_ORIENTATION, 1)
        except Exception as error:  # a hostile directory can make Pillow raise almost anything
            raise BrokenPicture(reason=f"TIFF directory: {error!r}") from error
        self.others = self._count_others(stream, seen={0, first})

    def check(self) -> None:
        """Check that the kind of TIFF is supported, and then that it is intact.

        Raises:
            UnsupportedPicture: the kind is not supported.
            BrokenPicture: a strip or tile is damaged or beyond the end of the file. Those with ZIP compression are
                checked in ``inflated``, and JPEGs by the JPEG decoder.
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
        """Check one strip or tile. For LZW and LZMA, libtiff reports damage itself."""
        if self.compression == _PACKBITS and _unpacked_length(part) != self.length_of_part(index):
            raise BrokenPicture(reason="a strip of another length")

    def check_zips(self) -> None:
        """Check the checksum of every ZIP part, before libtiff reads them. Raises BrokenPicture."""
        for start, length in self.parts:
            _inflated(self.data[start : start + length], 0)

    def inflated(self, index: int) -> bytes:
        """Return the content of a strip or tile with ZIP compression, in its full length.

        Raises:
            BrokenPicture: it is damaged, its checksum is wrong or missing, or it is too short.
        """
        start, length = self.parts[index]
        expected_length = self.length_of_part(index)
        part = _inflated(self.data[start : start + length], expected_length)
        if len(part) < expected_length:
            raise BrokenPicture(reason="a strip of another length")
        return part

    def _refuse_unsupported(self) -> None:
        # Raw files look like TIFF and begin with a thumbnail, which would be analysed instead of the photograph.
        is_thumbnail = self._number(_SUBFILE, 0) & 1 == 1
        is_canon = self.data[8:10] == b"CR"
        if is_thumbnail or is_canon or _DNG_VERSION in self.tags or self.photometric in _RAW_PHOTOMETRICS:
            raise UnsupportedPicture(RAW_FILE)
        if self.compression not in _READ_COMPRESSIONS:
            raise UnsupportedPicture(UNUSUAL_COMPRESSION, reason=f"compression {self.compression}")
        numbers = set(self._numbers(_NUMBERS) or (1,))
        if not numbers <= _UNSIGNED or max(self.bits) > 16 or len(set(self.bits)) > 1:
            raise UnsupportedPicture(UNUSUAL_NUMBERS, reason=f"format {numbers}, bits {self.bits}")
        is_other_ink = self.photometric == _CMYK and self._number(_INK_SET, 1) != 1
        if self.photometric not in _READ_PHOTOMETRICS or is_other_ink:
            raise UnsupportedPicture(reason=f"photometric {self.photometric}")
        if self.others:
            text = Text(SEVERAL_PICTURES, {"count": 1 + self.others})
            raise UnsupportedPicture(text, reason="several pictures")

    def _count_others(self, stream: BytesIO, *, seen: set[int]) -> int:
        """Return the number of readable pictures after the first one."""
        count, at = 0, self.tags.next
        directory = TiffImagePlugin.ImageFileDirectory_v2(_head(self.data))
        try:
            while at not in seen and len(seen) < _MOST_DIRECTORIES:
                seen.add(at)
                stream.seek(at)
                directory.load(stream)
                kind, old_kind = directory.get(_SUBFILE, 0), directory.get(_OLD_SUBFILE, 0)
                count += not (kind & _PREVIEW_OR_MASK or old_kind == _OLD_PREVIEW or _WIDTH not in directory)
                at = directory.next
        except Exception:  # a hostile directory can make Pillow raise almost anything
            return count
        return count

    def _parts(self) -> list[tuple[int, int]]:
        starts, lengths = self._numbers(_TILES), self._numbers(_TILE_BYTES)
        if not starts:
            starts, lengths = self._numbers(_STRIPS), self._numbers(_STRIP_BYTES)
        if not lengths and len(starts) == 1:  # optional if there is only one strip
            lengths = (len(self.data) - starts[0],)
        return list(zip(starts, lengths, strict=True))

    def length_of_part(self, index: int) -> int:
        """Return the unpacked size of a strip or tile, in bytes."""
        width, rows = self.part_size
        samples = 1 if self.is_planar else self.samples
        if not self.is_tiled:
            strips = -(-self.height // max(rows, 1))
            rows = min(rows, self.height - rows * (index % max(strips, 1)))
        return rows * ((width * samples * self.bits[0] + 7) // 8)

    def _part_size(self) -> tuple[int, int]:
        if self.is_tiled:
            return self._number(_TILE_WIDTH, 0), self._number(_TILE_HEIGHT, 0)
        return self.width, min(self._number(_ROWS, self.height), self.height)

    def _number(self, tag: int, default: int) -> int:
        numbers = self._numbers(tag)
        return numbers[0] if numbers else default

    def _numbers(self, tag: int) -> tuple[int, ...]:
        value: Any = self.tags.get(tag)
        if value is None:
            return ()
        return tuple(int(each) for each in value) if isinstance(value, tuple) else (int(value),)


def _head(data: bytes) -> bytes:
    """Return the header of a TIFF, which is longer in a BigTIFF."""
    return data[: 16 if data[2] == 43 else 8]


def _inflated(part: bytes, limit: int) -> bytes:
    """Return at most the first ``limit`` bytes of a strip, after checking its end and checksum."""
    reader, content, waiting = zlib.decompressobj(), bytearray(), part
    try:
        while waiting and not reader.eof:
            some = reader.decompress(waiting, 1 << 20)
            content += some[: max(limit - len(content), 0)]
            waiting = reader.unconsumed_tail
    except zlib.error as error:
        raise BrokenPicture(reason=str(error)) from error
    if not reader.eof:
        raise BrokenPicture(reason="incomplete strip")
    return bytes(content)


def _unpacked_length(part: bytes) -> int:
    """Return the unpacked size of a PackBits strip, in bytes."""
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
