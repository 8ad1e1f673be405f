"""What a camera wrote into a photograph's file about how it was taken: the time, and whether part of it was cut away.

The metadata of any format is one EXIF block, which is found by its signature and read with Pillow's parser of tags;
no pixels are decoded. Nothing here is trusted: a missing, damaged or hostile block gives no facts.
"""

import datetime
import re
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

# A block is at most 64 KB in a JPEG; the other formats rarely hold more.
_LONGEST_BLOCK = 2**20
_BLOCK = re.compile(rb"(?:Exif\0\0|eXIf|EXIF.{4})(?=(?:II\*\0|MM\0\*))", re.DOTALL)
_TIFF = (b"II*\0", b"MM\0*")
_TIME = "%Y:%m:%d %H:%M:%S"
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
# Two proportions differ if a side is off by more than this many pixels after scaling.
_ROUNDING = 2


@dataclass(frozen=True)
class CameraFacts:
    """What the file says.

    Attributes:
        taken_at: the camera's clock; without a time zone unless the file states one. None if it does not say.
        is_cropped: the file says that the picture was zoomed digitally, or has other proportions than it states.
    """

    taken_at: datetime.datetime | None = None
    is_cropped: bool = False


def read_camera_facts(data: bytes, *, width: int, height: int) -> CameraFacts:
    """Return what the file in ``data`` says about a picture of ``width`` by ``height`` pixels. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = _tags(data)
    except Exception:  # damaged and hostile metadata make the parser raise almost anything
        return CameraFacts()
    return CameraFacts(taken_at=_taken_at(tags), is_cropped=_is_cropped(tags, width, height))


def _tags(data: bytes) -> dict[int, Any]:
    if data.startswith(_TIFF):
        block = data
    elif found := _BLOCK.search(data):
        block = data[found.end() : found.end() + _LONGEST_BLOCK]
    else:
        return {}
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    return {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}


def _taken_at(tags: dict[int, Any]) -> datetime.datetime | None:
    base = ExifTags.Base
    for time, offset in (
        (base.DateTimeOriginal, base.OffsetTimeOriginal),
        (base.DateTimeDigitized, base.OffsetTimeDigitized),
    ):
        try:
            moment = datetime.datetime.strptime(str(tags.get(time, "")).strip("\0 "), _TIME)
        except ValueError:
            continue
        return moment.replace(tzinfo=_zone(tags.get(offset)))
    return None


def _zone(offset: Any) -> datetime.timezone | None:
    stated = _OFFSET.fullmatch(str(offset or "").strip("\0 "))
    if stated is None or int(stated[2]) > 14 or int(stated[3]) > 59:
        return None
    ahead = datetime.timedelta(hours=int(stated[2]), minutes=int(stated[3]))
    return datetime.timezone(-ahead if stated[1] == "-" else ahead)


def _is_cropped(tags: dict[int, Any], width: int, height: int) -> bool:
    zoom = _number(tags.get(ExifTags.Base.DigitalZoomRatio))
    if zoom is not None and zoom > 1:
        return True
    sides = [_number(tags.get(tag)) for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)]
    if not all(sides):
        return False
    stated_long, stated_short = sorted((float(side or 0) for side in sides), reverse=True)
    long, short = sorted((width, height), reverse=True)
    return abs(stated_short * long / stated_long - short) > _ROUNDING


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if 0 < number < float("inf") else None
