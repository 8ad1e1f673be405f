"""WebP decoding that detects damage in a single pass.

libwebp continues after damage without reporting it. But intact data cannot be decoded without their last bytes, while
damaged data need fewer. If a picture is passed in two parts, libwebp reveals this. Pillow does not offer incremental
decoding, but its bundled library does. If that is not accessible, the shortened data are decoded separately. The first
frame of an animation is read as a separate picture.
"""

import ctypes

import numpy as np
from PIL import Image, _webp

from mlmodel.pictures.picture_errors import BrokenPicture

_LOSSLESS = b"VP8L"
_CODED = frozenset({b"VP8 ", _LOSSLESS})
# libwebp needs all but the last bytes of intact data (at most four in tests); after damage it needs fewer, or more.
_SPARE = 8
# Incremental decoding of lossless data needs all bytes, and up to two more for damaged data than at once.
_SPARE_LOSSLESS = 5
_RGB, _RGBA = 0, 1
# A frame's chunks follow its position, size, duration and flags.
_FRAME_HEAD = 16
_HAS_ALPHA = bytes([0x10, 0, 0, 0])
_OK, _SUSPENDED = 0, 5


def check_chunks(data: bytes) -> tuple[int, int]:
    """Return the start, after the chunk's header, and the end of the first coded data.

    Data beyond the stated end of the file are ignored.

    Raises:
        BrokenPicture: the chunks are inconsistent, or there are no coded data.
    """
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise BrokenPicture(reason="shorter than stated")
    position = _coded(data, 12, end)
    if position is None:
        raise BrokenPicture(reason="no coded data")
    return position


def decode_still(data: bytes, mode: str, size: tuple[int, int]) -> Image.Image | None:
    """Return a still picture in ``mode`` (RGB or RGBA), or None if libwebp is not accessible.

    Args:
        data: a file whose chunks were checked.
        size: width and height from its header.

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
    """Return the position (left, top) of the first frame of an animation on its canvas, and the frame as a file.

    Args:
        data: a file whose chunks were checked.
    """
    start, end = _frame(data)
    left, top = (2 * int.from_bytes(data[at : at + 3], "little") for at in (start, start + 3))
    return (left, top), _file(_head_of_frame(data[start:end]) + data[start + _FRAME_HEAD : end])


def _frame(data: bytes) -> tuple[int, int]:
    """Return the start, after the chunk's header, and the end of the first frame."""
    at = 12
    while data[at : at + 4] != b"ANMF":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + (size & 1)
        if at + 8 > len(data):
            raise BrokenPicture(reason="no frame")
    return at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")


def _head_of_frame(frame: bytes) -> bytes:
    """Return the header that a frame needs if its first chunk is the alpha channel."""
    if frame[_FRAME_HEAD : _FRAME_HEAD + 4] != b"ALPH":
        return b""
    return b"VP8X" + (10).to_bytes(4, "little") + _HAS_ALPHA + frame[6:12]


def shortened(data: bytes) -> bytes:
    """Return the first picture without the last bytes of its coded data, which can be decoded only if damaged."""
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
        return None  # Pillow was built with static libwebp
    return library


_library = _find_library()
