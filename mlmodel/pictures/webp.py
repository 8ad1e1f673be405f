"""WebP, decoded so that damage shows, and but once.

libwebp decodes on after damage without a word. What tells is that whole data cannot be decoded without their last
bytes, while after damage fewer are needed. Given a picture in two parts, libwebp says so on the way; Pillow does not
offer that, but the library that it brings does. Where that cannot be reached, the shortened data are decoded apart.
Of a moving picture the first frame is read, as a picture of its own.
"""

import ctypes

import numpy as np
from PIL import Image, _webp

from mlmodel.pictures.picture_errors import BrokenPicture

_LOSSLESS = b"VP8L"
_CODED = frozenset({b"VP8 ", _LOSSLESS})
# Of whole data libwebp needs all but the last bytes (four at most were found); after damage it needs fewer, or more.
_SPARE = 8
# Given lossless data bit by bit it asks for all of them, and for up to two bytes more of damaged ones than otherwise.
_SPARE_LOSSLESS = 5
_RGB, _RGBA = 0, 1
# A frame's chunks follow its position, size, duration and flags.
_FRAME_HEAD = 16
_HAS_ALPHA = bytes([0x10, 0, 0, 0])
_OK, _SUSPENDED = 0, 5


def check_chunks(data: bytes) -> tuple[int, int]:
    """Return where the first coded data begin, after their chunk's head, and where they end.

    Anything may follow the end of the file that the file itself states.

    Raises:
        BrokenPicture: the chunks do not add up, or none is coded data.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise BrokenPicture(reason="shorter than it says")
    found = _coded(data, 12, end)
    if found is None:
        raise BrokenPicture(reason="no coded data")
    return found


def decode_still(data: bytes, mode: str, size: tuple[int, int]) -> Image.Image | None:
    """Return a picture that does not move, as ``mode`` (RGB or RGBA); None where libwebp cannot be reached.

    Args:
        data: a file whose chunks were checked.
        size: width and height, as its header states them.

    Raises:
        BrokenPicture: it is damaged.
    """
    if _library is None:
        return None
    channels = len(mode)
    pixels = np.empty((size[1], size[0], channels), dtype=np.uint8)
    target = pixels.ctypes.data_as(ctypes.c_void_p)
    decoder = _library.WebPINewRGB(_RGBA if channels == 4 else _RGB, target, pixels.nbytes, size[0] * channels)
    if not decoder:
        raise MemoryError
    try:
        start, end = check_chunks(data)
        spare = _SPARE_LOSSLESS if data[start - 8 : start - 4] == _LOSSLESS else _SPARE
        early = _library.WebPIUpdate(decoder, data, end - spare)
        status = _library.WebPIUpdate(decoder, data, len(data)) if early == _SUSPENDED else early
    finally:
        _library.WebPIDelete(decoder)
    if early == _OK:
        raise BrokenPicture(reason="coded data were left over")
    if status != _OK:
        raise BrokenPicture(reason=f"libwebp: status {status}")
    return Image.fromarray(pixels)


def first_frame(data: bytes) -> tuple[tuple[int, int], bytes]:
    """Return where the first frame of a moving picture lies on its canvas, left and top, and the frame as a file.

    Args:
        data: a file whose chunks were checked.
    """
    start, end = _frame(data)
    left, top = (2 * int.from_bytes(data[at : at + 3], "little") for at in (start, start + 3))
    return (left, top), _file(_head_of_frame(data[start:end]) + data[start + _FRAME_HEAD : end])


def _frame(data: bytes) -> tuple[int, int]:
    """Return where the first frame begins, after its chunk's head, and where it ends."""
    at = 12
    while data[at : at + 4] != b"ANMF":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + (size & 1)
        if at + 8 > len(data):
            raise BrokenPicture(reason="no frame")
    return at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")


def _head_of_frame(frame: bytes) -> bytes:
    """Return the header that a frame needs when its first chunk is its transparency."""
    if frame[_FRAME_HEAD : _FRAME_HEAD + 4] != b"ALPH":
        return b""
    return b"VP8X" + (10).to_bytes(4, "little") + _HAS_ALPHA + frame[6:12]


def shortened(data: bytes) -> bytes:
    """Return the first picture without the last bytes of its coded data: not to be decoded unless it is damaged."""
    start, end = check_chunks(data)
    coded = data[start : max(start, end - _SPARE)]
    chunk = data[start - 8 : start - 4] + len(coded).to_bytes(4, "little") + coded + bytes(len(coded) & 1)
    return _file(chunk)


def _file(chunks: bytes) -> bytes:
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WEBP" + chunks


def _coded(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    while at + 8 <= end:
        kind, start = data[at : at + 4], at + 8
        at = start + int.from_bytes(data[at + 4 : start], "little")
        if at > end:
            raise BrokenPicture(reason=f"chunk {kind!r} reaches beyond the end")
        if kind == b"ANMF":
            return _coded(data, start + 16, at)
        if kind in _CODED:
            return start, at
        at += at & 1
    return None


def _find_library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(_webp.__file__)
        library.WebPINewRGB.restype = ctypes.c_void_p
        library.WebPINewRGB.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        library.WebPIUpdate.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        library.WebPIDelete.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError):
        return None  # Pillow was built with libwebp inside
    return library


_library = _find_library()
