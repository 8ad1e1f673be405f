"""The views of the body map, and where each body site has its place on them."""

from dataclasses import dataclass
from functools import cache

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.body_map.curves import Point, contains
from patients.body_map.figure import Figure, Region
from patients.body_map.figures import body, feet, hands, head, side
from patients.models.lesion import BodySite, Side
from patients.models.placement import FRAME, MapView

FIGURES: dict[MapView, Figure] = {
    MapView.FRONT: body.FRONT,
    MapView.BACK: body.BACK,
    MapView.LEFT: side.LEFT,
    MapView.RIGHT: side.RIGHT,
    MapView.HEAD_FRONT: head.FRONT,
    MapView.HEAD_LEFT: head.LEFT,
    MapView.HEAD_RIGHT: head.RIGHT,
    MapView.HEAD_BACK: head.BACK,
    MapView.HANDS_BACK: hands.BACKS,
    MapView.PALMS: hands.PALMS,
    MapView.FEET_TOP: feet.TOPS,
    MapView.SOLES: feet.SOLES,
}


class Sheet(models.TextChoices):
    """Views that are shown together."""

    BODY = "body", _("Whole body")
    HEAD = "head", _("Head")
    HANDS = "hands", _("Hands")
    FEET = "feet", _("Feet")


SHEETS: dict[Sheet, tuple[MapView, ...]] = {
    Sheet.BODY: (MapView.FRONT, MapView.BACK, MapView.LEFT, MapView.RIGHT),
    Sheet.HEAD: (MapView.HEAD_FRONT, MapView.HEAD_BACK, MapView.HEAD_LEFT, MapView.HEAD_RIGHT),
    Sheet.HANDS: (MapView.HANDS_BACK, MapView.PALMS),
    Sheet.FEET: (MapView.FEET_TOP, MapView.SOLES),
}
SHEET_OF: dict[MapView, Sheet] = {view: sheet for sheet, views in SHEETS.items() for view in views}

# Where a lesion is shown whose place nobody has set. Sites that are not listed: on the whole body, from the front.
_HOME: dict[BodySite, MapView] = {
    BodySite.SCALP: MapView.HEAD_BACK,
    BodySite.BACK: MapView.BACK,
    BodySite.BUTTOCK: MapView.BACK,
    BodySite.ELBOW: MapView.BACK,
    BodySite.HAND: MapView.HANDS_BACK,
    BodySite.FINGER: MapView.HANDS_BACK,
    BodySite.NAIL: MapView.HANDS_BACK,
    BodySite.PALM: MapView.PALMS,
    BodySite.FOOT: MapView.FEET_TOP,
    BodySite.TOE: MapView.FEET_TOP,
    BodySite.SOLE: MapView.SOLES,
    **dict.fromkeys(
        (BodySite.FACE, BodySite.EYELID, BodySite.NOSE, BodySite.LIP, BodySite.MUCOSA, BodySite.EAR),
        MapView.HEAD_FRONT,
    ),
}
# A site that is best seen from its own side.
_FROM_ITS_SIDE: dict[BodySite, dict[Side, MapView]] = {
    BodySite.EAR: {Side.LEFT: MapView.HEAD_LEFT, Side.RIGHT: MapView.HEAD_RIGHT},
    BodySite.FLANK: {Side.LEFT: MapView.LEFT, Side.RIGHT: MapView.RIGHT},
}
# Half the width of the strip in which a place counts as the midline.
_MIDLINE = 8


@dataclass(frozen=True)
class Place:
    """A point of a view, in the frame of the drawing of an adult."""

    view: MapView
    x: int
    y: int


@cache
def usual_place(site: BodySite, side: Side) -> Place:
    """Return where a lesion of this site and side is shown while nobody has set its place.

    Where the side is not known, that is the middle: neither the left nor the right.
    """
    view = _FROM_ITS_SIDE.get(site, {}).get(side) or _HOME.get(site, MapView.FRONT)
    is_sided = side in (Side.LEFT, Side.RIGHT)
    x, y = _heart(view, region_of(view, site, side if is_sided else Side.LEFT))
    return Place(view, round(x) if is_sided else FRAME // 2, round(y))


def region_of(view: MapView, site: BodySite, side: Side) -> Region:
    """Return the region of a site on a view; raises ``LookupError`` where the view does not show it."""
    for region in FIGURES[view].regions:
        if region.site is site and region.side is side:
            return region
    raise LookupError(f"{view} does not show the {side} {site}")


def site_at(view: MapView, x: float, y: float) -> tuple[BodySite, Side] | None:
    """Return the body site and the patient's side under a point; None beside the body."""
    region = FIGURES[view].region_at((x, y))
    if region is None:
        return None
    is_middle = region.has_middle and abs(x - FRAME / 2) <= _MIDLINE * (1 if SHEET_OF[view] is Sheet.BODY else 3)
    return region.site, Side.MIDLINE if is_middle else region.side


@cache
def _heart(view: MapView, region: Region) -> Point:
    """Return the point of a region that lies deepest inside it."""
    figure = FIGURES[view]
    # Of fingers and toes, the middle one.
    shape = region.polygons[len(region.polygons) // 2]
    left, right = min(x for x, _y in shape), max(x for x, _y in shape)
    top, bottom = min(y for _x, y in shape), max(y for _x, y in shape)
    step = max(min(right - left, bottom - top) / 24, 1.0)
    own = [
        (x, y)
        for x in _steps(left, right, step)
        for y in _steps(top, bottom, step)
        if contains(shape, (x, y)) and figure.region_at((x, y)) is region
    ]
    middle = sum(x for x, _y in own) / len(own), sum(y for _x, y in own) / len(own)
    return min(own, key=lambda point: (point[0] - middle[0]) ** 2 + (point[1] - middle[1]) ** 2)


def _steps(start: float, end: float, step: float) -> list[float]:
    return [start + step * (index + 0.5) for index in range(int((end - start) / step))]
