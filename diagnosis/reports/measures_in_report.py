"""ABCD measures in a report: the newest measurement of a photograph, in words for patients.

Values and words are frozen together. Nothing is measured here, and unreliable outlines give no measures.
"""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.measures.measure_words import colour_name, diameter_mm, diameter_share
from diagnosis.measures.scales import scale_of
from mlmodel.segmentation.dermoscopic_colours import COLOURS, present

MILLIMETRE_DIGITS = 1
SHARE_DIGITS = 4


def measures_in_report(image: Image) -> dict[str, Any] | None:
    """Return the newest measurement as a report shows it; None if there is none or its outline is unreliable.

    Reads ``image.measurements`` and what ``scale_of`` reads, prefetched if possible.
    """
    newest = max(image.measurements.all(), key=lambda row: row.pk, default=None)
    if newest is None or newest.values["doubt"] is not None:
        return None
    values = newest.values
    scale = scale_of(image)
    width_mm = scale.width_mm if scale else None
    millimetres = diameter_mm(values, width=image.width, height=image.height, scale=scale)
    share = diameter_share(values, width=image.width, height=image.height)
    return {
        "title": _("Measured on this photograph"),
        "note": _("these measures play no part in the probabilities"),
        "meaning": _(
            "To measure a spot, the software draws its edge in the photograph. The measures describe its shape, its "
            "colours and its size. They play no part in the probabilities, and none of them can show by itself "
            "whether a spot is harmless."
        ),
        "lines": [
            _asymmetry(values),
            _border(values),
            _colours(values),
            _diameter(share, millimetres, width_mm, is_cut=values["is_cut"]),
        ],
        "is_cut": values["is_cut"],
        "asymmetry": values["asymmetry"],
        "border": values["border"],
        "colours": values["colours"],
        "diameter": {
            "share_of_width": round(share, SHARE_DIGITS),
            "mm": None if millimetres is None else round(millimetres, MILLIMETRE_DIGITS),
            "stated_width_mm": None if width_mm is None else float(width_mm),
        },
        "segmenter_sha256": newest.segmenter_sha256,
    }


def _asymmetry(values: dict[str, Any]) -> dict[str, str]:
    asymmetry = values["asymmetry"]
    if asymmetry is None:
        return _not_whole("A", _("Asymmetry"))
    return _line("A", _("Asymmetry"), _percent(asymmetry["shape"]), _("lies outside its own mirror image"))


def _border(values: dict[str, Any]) -> dict[str, str]:
    border = values["border"]
    if border is None:
        return _not_whole("B", _("Border"))
    return _line(
        "B",
        _("Border"),
        f"{border['compactness']:.2f}",
        _("where 1 is a circle; higher if long or irregular"),
    )


def _colours(values: dict[str, Any]) -> dict[str, str]:
    colours = present({colour: float(values["colours"][colour]) for colour in COLOURS})
    words = ", ".join(colour_name(colour) for colour in colours) or _("hardly differs from the skin around it")
    return _line("C", _("Colours"), _("%(count)d of 6") % {"count": len(colours)}, words)


def _diameter(share: float, millimetres: float | None, width_mm: Decimal | None, *, is_cut: bool) -> dict[str, str]:
    if millimetres is None:
        value, words = _percent(share), _("of the photograph’s width")
    else:
        value = f"{millimetres:.1f}\u00a0mm"
        words = _("across, if the photograph is %(width)s mm wide, as your clinic stated") % {"width": f"{width_mm:g}"}
    return _line("D", _("Diameter"), _("at least %(value)s") % {"value": value} if is_cut else value, words)


def _line(letter: str, name: str, value: str, words: str) -> dict[str, str]:
    return {"letter": letter, "name": name, "value": value, "words": words}


def _not_whole(letter: str, name: str) -> dict[str, str]:
    return _line(letter, name, _("not measured"), _("because only part of it is in the photograph"))


def _percent(share: float) -> str:
    return f"{round(share * 100)}\u00a0%"
