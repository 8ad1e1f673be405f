"""The pictures in a report: each photograph, alone and with its heat map."""

import io
import logging
from collections.abc import Iterable
from uuid import UUID

from django.db.models.fields.files import FieldFile
from PIL import Image as PillowImage

from diagnosis.assessment.heat_maps import heat_map_of
from diagnosis.images.models import Image
from mlmodel.network.quality import Reliability

log = logging.getLogger(__name__)

# 80 mm wide on paper at 300 dots an inch.
LONGEST_SIDE = 960
JPEG_QUALITY = 88
# The heat map must not hide the lesion.
HEAT_MAP_OPACITY = 0.7


def photograph_url(image_id: UUID | str) -> str:
    return f"dermascan:photograph/{image_id}"


def heat_map_url(image_id: UUID | str) -> str:
    return f"dermascan:heat-map/{image_id}"


def figures_of(images: Iterable[Image]) -> dict[str, bytes]:
    """Return JPEG files by the address that the report's page uses.

    Raises:
        OSError: a photograph's file is missing or cannot be read.
    """
    figures = {}
    for image in images:
        photograph = _open(image.display, mode="RGB")
        photograph.thumbnail((LONGEST_SIDE, LONGEST_SIDE), PillowImage.Resampling.LANCZOS)
        figures[photograph_url(image.pk)] = _jpeg(photograph)
        prediction = image.shown_prediction
        if prediction is None or image.reliability is not Reliability.CALIBRATED:
            continue
        heat_map = heat_map_of(prediction, code=prediction.explained_code)
        if heat_map is not None:
            overlay = _open(heat_map.file, mode="RGBA")
            figures[heat_map_url(image.pk)] = _jpeg(_overlaid(photograph, overlay))
    return figures


def readable_figures(images: Iterable[Image]) -> dict[str, bytes]:
    """As ``figures_of``, but skips unreadable photographs: a missing file must not prevent an addendum."""
    figures: dict[str, bytes] = {}
    for image in images:
        try:
            figures |= figures_of([image])
        except OSError as error:
            log.error("Photograph %s cannot be read and is left out: %s", image.pk, error)
    return figures


def _open(field: FieldFile, *, mode: str) -> PillowImage.Image:
    with field.open("rb") as file, PillowImage.open(file) as picture:
        return picture.convert(mode)


def _overlaid(photograph: PillowImage.Image, heat_map: PillowImage.Image) -> PillowImage.Image:
    heat_map = heat_map.resize(photograph.size, PillowImage.Resampling.BICUBIC)
    heat_map.putalpha(heat_map.getchannel("A").point(lambda alpha: round(alpha * HEAT_MAP_OPACITY)))
    return PillowImage.alpha_composite(photograph.convert("RGBA"), heat_map).convert("RGB")


def _jpeg(picture: PillowImage.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return file.getvalue()
