"""PNG: checksums of the chunks, some of which Pillow does not verify, and colour information."""

import struct
import zlib

from mlmodel.pictures.colour_profiles import Colours, coded_colours
from mlmodel.pictures.picture_errors import BrokenPicture

_SIGNATURE_LENGTH = 8
# Exponents outside this range do not occur in cameras or monitors.
_SENSIBLE_GAMMA = (0.2, 6.0)
_USUAL_GAMMA = 1 / 0.45455


def check_png(data: bytes) -> Colours | None:
    """Return the colours in PNG's own chunks after checking every chunk; None for sRGB or an ICC profile.

    The end marker (IEND) may be missing, and anything may follow it.

    Raises:
        BrokenPicture: a chunk is damaged or incomplete.
        UnsupportedPicture: the colours are not supported.
    """
    chunks: dict[bytes, bytes] = {}
    at = _SIGNATURE_LENGTH
    while at < len(data):
        kind = data[at + 4 : at + 8]
        if kind == b"IEND" or (len(data) - at < 12 and b"IDAT" in chunks):
            break
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            raise BrokenPicture(reason=f"incomplete chunk {kind!r}")
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise BrokenPicture(reason=f"checksum of chunk {kind!r}")
        chunks.setdefault(kind, b"" if kind == b"IDAT" else data[at + 8 : min(end, at + 40)])
        at = end + 4
    return _colours(chunks)


def _colours(chunks: dict[bytes, bytes]) -> Colours | None:
    """Return the colours in the order of precedence of PNG's third edition: cICP, iCCP, sRGB, then gAMA and cHRM."""
    if len(coded := chunks.get(b"cICP", b"")) == 4:
        return coded_colours(primaries=coded[0], transfer=coded[1])
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    gamma, primaries = None, None
    if len(stored := chunks.get(b"gAMA", b"")) == 4 and any(stored):
        gamma = 100_000 / int.from_bytes(stored, "big")
        is_sensible = _SENSIBLE_GAMMA[0] <= gamma <= _SENSIBLE_GAMMA[1]
        # Programs that write sRGB state a gamma of 2.2, which stands for sRGB's curve.
        gamma = gamma if is_sensible and abs(gamma - _USUAL_GAMMA) > 0.01 else None
    if len(stored := chunks.get(b"cHRM", b"")) == 32:
        numbers = [value / 100_000 for value in struct.unpack(">8I", stored)]
        primaries = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    if gamma is None and primaries is None:
        return None
    return Colours(gamma=gamma) if primaries is None else Colours(primaries=primaries, gamma=gamma)
