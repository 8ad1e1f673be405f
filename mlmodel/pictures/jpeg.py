"""Strict JPEG decoding, which refuses files in which the codec would have to invent pixels.

libjpeg continues after almost any damage: it invents missing data and shifts what follows. Pillow hides its warnings;
here any warning refuses the file. Only a missing end marker, and data after the end marker, are accepted.
"""

from dataclasses import dataclass, field

import numpy as np
import simplejpeg

from mlmodel.pictures.picture_errors import BrokenPicture, UnsupportedPicture

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _DAC = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xCC
_APP0, _APP14 = 0xE0, 0xEE
# The last is JPEG-LS, which may begin like a JPEG.
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
_READ_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_ARITHMETIC = frozenset({0xC9, 0xCA})
# Segments that affect the pixels; others (EXIF, ICC, comments) do not.
_PIXEL_SEGMENTS = frozenset({_DQT, _DHT, _DRI, _DAC, _SOS}) | _FRAMES
# Adobe's marker, all but its last byte.
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64" + bytes(4)
_COLOURS = {1: "GRAY", 3: "RGB", 4: "CMYK"}


@dataclass
class _Scan:
    """The position and coding of the data of one scan."""

    start: int
    end: int
    components: list[tuple[int, int]]  # identifier, tables
    first: int
    last: int
    high: int
    low: int
    tables: dict[int, int | None]  # by class and number: the symbol whose code is all zeros


@dataclass
class Layout:
    """The parts of a JPEG that affect the pixels, in order."""

    clean: bytearray = field(default_factory=lambda: bytearray(b"\xff\xd8"))
    frame: int = 0
    components: list[int] = field(default_factory=list)
    adobe: int | None = None  # the colour transform in an Adobe marker: 0 RGB or CMYK, 1 YCbCr, 2 YCCK
    scans: list[_Scan] = field(default_factory=list)


def decode_jpeg(data: bytes, layout: Layout | None = None) -> np.ndarray:
    """Return the first picture in ``data`` as uint8 (H, W), (H, W, 3) RGB or (H, W, 4) CMYK as it is stored.

    Raises:
        BrokenPicture: a part is missing or damaged.
        UnsupportedPicture: it is of an unsupported kind (12-bit, lossless, hierarchical).
    """
    layout = layout or read_layout(data)
    _refuse_missing_scans(layout)
    _refuse_zeroed_parts(data, layout)
    colours = _COLOURS[len(layout.components)]
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(bytes(layout.clean), colours, strict=True)
    except ValueError as error:
        raise BrokenPicture(reason=str(error)) from error
    return pixels[..., 0] if colours == "GRAY" else pixels


def read_layout(data: bytes, *, adobe: int | None = None) -> Layout:
    """Return the layout of the segments up to the end marker, or to the end of the file if that is missing.

    Args:
        adobe: the colour transform as in an Adobe marker, which overrides the file's own markers.
    """
    layout, at = Layout(adobe=adobe), 2
    layout.clean += b"" if adobe is None else _ADOBE + bytes([adobe])
    tables: dict[int, int | None] = {}
    while True:
        at, marker = _next_marker(data, at)
        if marker == _EOI:
            break
        if marker == _SOI or 0xD0 <= marker <= 0xD7:
            raise BrokenPicture(reason=f"marker {marker:#x} out of place")
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end < at + 2 or end > len(data):
            raise BrokenPicture(reason="a segment reaches beyond the end of the file")
        body = data[at + 2 : end]
        if marker in _FRAMES:
            _read_frame(layout, marker, body)
        elif marker == _DHT:
            tables |= _zero_symbols(body)
        if _affects_pixels(layout, marker, body, colours_are_known=adobe is not None):
            layout.clean += b"\xff" + bytes([marker]) + data[at:end]
        at = end
        if marker == _SOS:
            at = _end_of_scan(data, end)
            layout.clean += data[end:at]
            layout.scans.append(_scan(layout, body, start=end, end=at, tables=dict(tables)))
    layout.clean += b"\xff\xd9"
    if not layout.scans:
        raise BrokenPicture(reason="no coded data")
    return layout


def _affects_pixels(layout: Layout, marker: int, body: bytes, *, colours_are_known: bool) -> bool:
    """Whether a segment affects the pixels; also stores the colour transform of an Adobe marker in the layout."""
    if marker == _APP14 and body[:5] == b"Adobe" and len(body) >= 12 and not colours_are_known:
        layout.adobe = body[11]
        return True
    return marker in _PIXEL_SEGMENTS or (marker == _APP0 and body[:5] == b"JFIF\0" and not colours_are_known)


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """Return the position after the next marker, and the marker; the end of the file counts as the end marker."""
    if at >= len(data):
        return at, _EOI
    if data[at] != 0xFF:
        raise BrokenPicture(reason=f"no marker at byte {at}")
    while at < len(data) and data[at] == 0xFF:
        at += 1
    return (at + 1, data[at]) if at < len(data) else (at, _EOI)


def _read_frame(layout: Layout, marker: int, body: bytes) -> None:
    if layout.frame:
        raise BrokenPicture(reason="two frames")
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise BrokenPicture(reason="short frame header")
    if marker not in _READ_FRAMES or body[0] != 8:
        raise UnsupportedPicture(reason=f"JPEG of kind {marker:#x}, {body[0]} bits")
    if body[5] not in _COLOURS:
        raise UnsupportedPicture(reason=f"JPEG with {body[5]} components")
    layout.frame = marker
    layout.components = [body[6 + 3 * index] for index in range(body[5])]


def _end_of_scan(data: bytes, at: int) -> int:
    """Return the position of the next marker that does not belong to coded data."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data) if at < 0 else at
        following = data[at + 1]
        if following == 0xFF:
            at += 1
        elif following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        else:
            return at


def _scan(layout: Layout, body: bytes, *, start: int, end: int, tables: dict[int, int | None]) -> _Scan:
    count = body[0] if body else 0
    if len(body) < 4 + 2 * count or not layout.frame:
        raise BrokenPicture(reason="short scan header")
    components = [(body[1 + 2 * index], body[2 + 2 * index]) for index in range(count)]
    first, last, approximation = body[1 + 2 * count : 4 + 2 * count]
    return _Scan(start, end, components, first, last, approximation >> 4, approximation & 15, tables)


def _zero_symbols(body: bytes) -> dict[int, int | None]:
    """Return, for each Huffman table in a segment, the symbol whose code is all zeros: the first of the shortest."""
    symbols: dict[int, int | None] = {}
    at = 0
    while at + 17 <= len(body):
        count = sum(body[at + 1 : at + 17])
        symbols[body[at]] = body[at + 17] if count and at + 17 < len(body) else None
        at += 17 + count
    return symbols


def _refuse_missing_scans(layout: Layout) -> None:
    """Refuse a picture with coefficients, or bits of coefficients, that are in no scan."""
    missing = {component: [True] * 64 for component in layout.components}
    for scan in layout.scans:
        for component, _ in scan.components:
            if component not in missing:
                raise BrokenPicture(reason="scan of a component that is not in the frame")
            if layout.frame not in _PROGRESSIVE:
                missing[component] = [False] * 64
                continue
            for coefficient in range(scan.first, min(scan.last, 63) + 1):
                missing[component][coefficient] = scan.low > 0
    if any(any(each) for each in missing.values()):
        raise BrokenPicture(reason="scans are missing")


def _refuse_zeroed_parts(data: bytes, layout: Layout) -> None:
    """Refuse coded data with a run of zeros where zeros cannot stand for a uniform area."""
    if layout.frame in _ARITHMETIC:
        return
    for scan in layout.scans:
        longest = _longest_run_of_zeros(scan)
        if longest is not None and data.find(bytes(longest + 1), scan.start, scan.end) >= 0:
            raise BrokenPicture(reason="a run of zeros in the coded data")


def _longest_run_of_zeros(scan: _Scan) -> int | None:
    """Return the maximum number of consecutive zero bytes in a scan; None where a uniform area is coded as zeros.

    That is the case where zeros mean "the same mean as the previous block, and no other coefficients". Elsewhere they
    would mean dozens of equal consecutive coefficients, or the same step of brightness over many blocks.
    """
    if scan.first == 0 and scan.high > 0:
        return None  # raw bits
    is_same_mean = all(scan.tables.get(numbers >> 4, 0) == 0 for _, numbers in scan.components)
    is_end_of_block = all((scan.tables.get(0x10 | (numbers & 15)) or 0) & 15 == 0 for _, numbers in scan.components)
    if scan.last == 0:
        return None if is_same_mean else 31
    if is_end_of_block and scan.first > 0:
        return 255  # runs of empty blocks are merged: this would be a hundred empty megapixels
    if is_end_of_block and is_same_mean:
        return None
    return 63 if scan.high > 0 else 23
