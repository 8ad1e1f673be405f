"""HEVC, the codec of HEIC: a check that the coded data end where the picture does.

libheif decodes with libde265, which continues after damage, and does not report its warnings. So each coded picture is
decoded again separately: intact data give no warning and need their last bytes; after damage, the decoder runs out of
data or has some left over. If the library that comes with pillow-heif is not found, nothing is checked.
"""

import ctypes
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, cycle
from pathlib import Path

import pillow_heif

from mlmodel.pictures.picture_errors import BrokenPicture

# The decoder needs all but the last two bytes of intact data. In one of fifty pictures it happens not to notice
# missing bytes, so several lengths are tried.
_SPARE = (8, 16, 32, 64, 128)
# Shorter data are checked by the warnings only, since little would be left without the last bytes.
_SHORT = 256
# About the size of a 12-megapixel photograph. Data beyond this are not checked, to limit the time.
_MOST_BYTES = 4_000_000
# Unit types (ITU-T H.265, 7.4.2.2) below this value contain a part of a picture.
_NO_PICTURE = 32
# Warnings of libde265 about threads, memory and supplemental messages.
_NOT_OF_THE_DATA = (1000, 1001, 1013, 1022, 1024, 1025)
# The coded data of a picture with its parameters, in order.
Units = Sequence[bytes]


def check_coded(pictures: Iterable[Units]) -> None:
    """Check that the decoder neither invents nor skips a part of the coded pictures.

    Raises:
        BrokenPicture: one is damaged.
    """
    if _library is None:
        return
    checked = list(pictures)
    lengths = accumulate(sum(map(len, units)) for units in checked)
    within = [units for units, length in zip(checked, lengths, strict=True) if length <= _MOST_BYTES]
    with ThreadPoolExecutor(2) as pool:  # the library lets other threads run
        if any(pool.map(_is_damaged, (units for units in within for _ in range(2)), cycle((_warns, _has_spare)))):
            raise BrokenPicture(reason="coded data do not end where the picture does")


def _is_damaged(units: Units, shows: Callable[[Units], bool]) -> bool:
    # Only one of several layers is decoded; the others are not checked.
    is_layered = any(len(unit) > 1 and (unit[0] & 1) << 5 | unit[1] >> 3 for unit in units)
    return not is_layered and shows(units)


def _has_spare(units: Units) -> bool:
    """Whether a picture decodes without warnings even if its last bytes are removed."""
    parts = [at for at, unit in enumerate(units) if unit and (unit[0] >> 1) & 63 < _NO_PICTURE]
    last = units[parts[-1]].rstrip(b"\0\3") if parts else b""  # padding
    return len(last) >= _SHORT and not any(
        _warns([*units[: parts[-1]], last[:-spare], *units[parts[-1] + 1 :]]) for spare in _SPARE
    )


def _warns(units: Units) -> bool:
    """Whether the decoder gives a warning about the data."""
    assert _library is not None
    decoder = _library.de265_new_decoder()
    if not decoder:
        raise MemoryError
    try:
        for unit in units:
            _library.de265_push_NAL(decoder, unit, len(unit), 0, None)
        _library.de265_flush_data(decoder)
        more = ctypes.c_int(1)
        while more.value and not _library.de265_peek_next_picture(decoder):
            if _library.de265_decode(decoder, ctypes.byref(more)):
                break
        warnings = iter(lambda: _library.de265_get_warning(decoder), 0)
        return any(warning not in _NOT_OF_THE_DATA for warning in warnings)
    finally:
        _library.de265_free_decoder(decoder)


def _find_library() -> ctypes.CDLL | None:
    library_folder = Path(pillow_heif.__file__).parent.parent / "pillow_heif.libs"
    try:
        library = ctypes.CDLL(str(next(library_folder.glob("libde265*"))))
        library.de265_new_decoder.restype = ctypes.c_void_p
        library.de265_push_NAL.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int64, ctypes.c_void_p,
        ]  # fmt: skip
        library.de265_peek_next_picture.restype = ctypes.c_void_p
        library.de265_decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        for function in (
            library.de265_flush_data,
            library.de265_peek_next_picture,
            library.de265_get_warning,
            library.de265_free_decoder,
        ):
            function.argtypes = [ctypes.c_void_p]
    except (StopIteration, OSError, AttributeError):
        return None  # pillow-heif was built differently
    return library


_library = _find_library()
