"""Measures in the API: figures, the outline in pixels of the photograph, or why there are none."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.measures.measure_words import diameter_mm, diameter_share, doubt_in_words, outline_in_pixels
from diagnosis.measures.scales import Scale
from diagnosis.measures.services import measures_if_readable
from mlmodel.pictures.picture import Picture
from mlmodel.segmentation.dermoscopic_colours import COLOURS, present
from mlmodel.segmentation.measuring import Measured


def measurements_of_image(image: Image) -> dict[str, Any] | None:
    """Return the measures of a stored photograph; None if its original cannot be read any more."""
    measures = measures_if_readable(image=image)
    if measures is None:
        return None
    return _answer(
        measures.values,
        width=image.width,
        height=image.height,
        scale=measures.scale,
        by=measures.segmenter_sha256,
    )


def measurements_of_picture(picture: Picture, measured: Measured) -> dict[str, Any]:
    """Return the measures of a photograph that is not stored."""
    return _answer(
        measured.as_values(), width=picture.width, height=picture.height, scale=None, by=measured.segmenter_sha256
    )


def _answer(values: Mapping[str, Any], *, width: int, height: int, scale: Scale | None, by: str) -> dict[str, Any]:
    doubt = values["doubt"]
    is_measured = doubt is None
    shares = values["colours"]
    return {
        "doubt": None if is_measured else {"code": doubt, "text": doubt_in_words(doubt)},
        "is_cut": values["is_cut"],
        "outline": [list(point) for point in outline_in_pixels(values, width=width, height=height)]
        if is_measured
        else None,
        "asymmetry": values["asymmetry"],
        "border": values["border"],
        "colours": {"shares": shares, "present": [str(c) for c in present({c: shares[c] for c in COLOURS})]}
        if is_measured
        else None,
        "diameter": {
            "share_of_width": round(diameter_share(values, width=width, height=height), 4),
            "mm": _rounded(diameter_mm(values, width=width, height=height, scale=scale)),
        }
        if is_measured
        else None,
        "segmenter": by,
        "note": _("Measured on the photograph; the network does not read these numbers."),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
