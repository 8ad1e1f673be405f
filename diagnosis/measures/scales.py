"""The scale of a photograph: how wide it is on the skin. Everything in millimetres takes it from ``scale_of``."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch

from diagnosis.images.devices import newest_calibration
from diagnosis.images.facts import newest_facts
from diagnosis.images.models import DeviceCalibration, Image, ImageQuerySet, PhotographFacts

_DIGITS = Decimal("0.01")


@dataclass(frozen=True)
class Scale:
    """The width of a whole photograph.

    Attributes:
        device: the name of the device by whose calibration it is known; empty if a member stated it for this one.
    """

    width_mm: Decimal
    device: str = ""


def scale_of(image: Image) -> Scale | None:
    """Return the scale of a photograph: the one stated for it, or else that of its device; None if neither is known.

    Reads ``scales`` and ``facts``, prefetched by ``with_scales`` if there are several photographs.
    """
    stated = max(image.scales.all(), key=lambda row: row.pk, default=None)
    if stated is not None:
        return Scale(stated.width_mm)
    facts = newest_facts(image)
    if facts is None or facts.device is None or facts.is_cropped:
        return None
    calibration = newest_calibration(facts.device)
    width_mm = _width_by(calibration, image) if calibration else None
    return None if width_mm is None else Scale(width_mm, device=str(facts.device))


def with_scales(images: ImageQuerySet) -> ImageQuerySet:
    """Prefetch what ``scale_of`` and ``newest_facts`` read."""
    facts = PhotographFacts.objects.select_related("device", "member__user").prefetch_related("device__calibrations")
    return images.prefetch_related("scales", Prefetch("facts", facts))


def _width_by(calibration: DeviceCalibration, image: Image) -> Decimal | None:
    """Return the photograph's width by its device's calibration; None unless it is the full frame.

    A frame that was made smaller as a whole keeps its proportions to the pixel, upright or on its side. A part of a
    frame hardly ever has them; one that does, or was zoomed, must be stated as cropped.
    """
    frame_width, frame_height = calibration.frame_width, calibration.frame_height
    if calibration.width_mm is None or not frame_width or not frame_height:
        return None
    if _is_reduced(image, frame_width, frame_height):
        return calibration.width_mm.quantize(_DIGITS)
    if _is_reduced(image, frame_height, frame_width):
        return (calibration.width_mm * frame_height / frame_width).quantize(_DIGITS)
    return None


def _is_reduced(image: Image, frame_width: int, frame_height: int) -> bool:
    """Return whether the photograph has the frame's size, or a smaller one with the same proportions."""
    if image.width > frame_width or image.height > frame_height:
        return False
    # Each side is rounded to a whole pixel.
    return abs(image.width * frame_height - image.height * frame_width) <= max(frame_width, frame_height) // 2 + 1
