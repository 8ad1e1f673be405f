"""A view of the body map, ready to be shown by ``templates/patients/includes/body_view.html``."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from django.utils.translation import gettext as _

from patients.body_map.child import CHILD_UNTIL, figure_of, shown_at
from patients.body_map.curves import Point
from patients.body_map.figure import Region
from patients.body_map.pins import Frame, spread
from patients.body_map.views import SHEET_OF, Place, Sheet
from patients.models.lesion import BodySite, Side
from patients.models.patient import Patient
from patients.models.placement import FRAME, MapView

# How high a drawing is shown, in pixels; pins are sized for that.
_HEIGHT = 540
_PIN = 13.0
_APART = 36.0
# A region is enlarged with as much around it, and never to less than this part of the drawing.
_MARGIN = 0.35
_LEAST_SIDE = 170.0


@dataclass(frozen=True)
class Mark:
    """What is to be shown at a place: the pin of one lesion.

    Attributes:
        state: the end of its class name and of the symbol's, for example “urgent”.
        words: the whole of what the pin says, for people who do not see it.
        is_placed: somebody set the place; otherwise it is only the middle of the body site.
    """

    place: Place
    number: int
    state: str
    words: str
    url: str
    is_placed: bool
    is_chosen: bool = False


@dataclass(frozen=True)
class Pin:
    """A mark as it is drawn: its place, and its head, which may be drawn beside it."""

    mark: Mark
    x: float
    y: float
    head_x: float
    head_y: float
    scale: float

    @property
    def is_moved(self) -> bool:
        return abs(self.x - self.head_x) + abs(self.y - self.head_y) > 1


@dataclass(frozen=True)
class DrawnRegion:
    region: Region
    name: str


@dataclass(frozen=True)
class DrawnView:
    """One view with its pins."""

    view: MapView
    is_child: bool
    frame: Frame
    regions: tuple[DrawnRegion, ...]
    pins: tuple[Pin, ...] = ()
    zoomed: DrawnRegion | None = None
    outlines: tuple[str, ...] = field(default=())
    details: tuple[str, ...] = field(default=())

    @property
    def label(self) -> str:
        return str(self.view.label)

    @property
    def picture_left(self) -> str:
        """What lies at the left of the picture, so that nobody has to guess whose left it is."""
        return _side_letter(self.view, is_at_left=True)

    @property
    def picture_right(self) -> str:
        return _side_letter(self.view, is_at_left=False)


def is_drawn_as_child(patient: Patient) -> bool:
    return patient.age < CHILD_UNTIL


def draw(view: MapView, marks: Iterable[Mark] = (), *, is_child: bool, zoom: str = "") -> DrawnView:
    """Return a view with the marks that lie on it.

    Args:
        zoom: the key of a region to enlarge; unknown keys show the whole view.
    """
    figure = figure_of(view, is_child=is_child)
    regions = _regions(view, is_child=is_child)
    zoomed = next((each for each in regions if each.region.key == zoom), None)
    frame = _around(zoomed.region) if zoomed else Frame(figure.left, 0, figure.right - figure.left, FRAME)
    unit = frame.height / _HEIGHT
    own = [mark for mark in marks if mark.place.view is view]
    places = [shown_at(view, (mark.place.x, mark.place.y), is_child=is_child) for mark in own]
    inside = [(mark, place) for mark, place in zip(own, places, strict=True) if frame.holds(place)]
    heads = spread([place for _mark, place in inside], apart=_APART * unit, frame=frame)
    return DrawnView(
        view=view,
        is_child=is_child,
        frame=frame,
        regions=regions,
        zoomed=zoomed,
        outlines=tuple(outline.path for outline in figure.outlines),
        details=tuple(detail.path for detail in figure.details),
        pins=tuple(
            Pin(mark, *_rounded(place), *_rounded(head), scale=round(_PIN * unit, 2))
            for (mark, place), head in zip(inside, heads, strict=True)
        ),
    )


def region_name(site: BodySite, side: Side) -> str:
    """Return a region in words, such as “left forearm”."""
    name = str(site.label).lower()
    return name if side is Side.UNKNOWN else f"{str(side.label).lower()} {name}"


@cache
def _regions(view: MapView, *, is_child: bool) -> tuple[DrawnRegion, ...]:
    return tuple(
        DrawnRegion(region, region_name(region.site, region.side))
        for region in figure_of(view, is_child=is_child).in_order
    )


@cache
def _around(region: Region) -> Frame:
    left, top, right, bottom = region.bounds
    side = min(max(max(right - left, bottom - top) * (1 + 2 * _MARGIN), _LEAST_SIDE), FRAME)
    middle = (left + right) / 2, (top + bottom) / 2
    return Frame(*_rounded((middle[0] - side / 2, middle[1] - side / 2)), round(side, 1), round(side, 1))


def _side_letter(view: MapView, *, is_at_left: bool) -> str:
    if view in (MapView.LEFT, MapView.HEAD_LEFT):
        return _("Front") if is_at_left else _("Back")
    if view in (MapView.RIGHT, MapView.HEAD_RIGHT):
        return _("Back") if is_at_left else _("Front")
    is_from_behind = view in (MapView.BACK, MapView.HEAD_BACK)
    return str((Side.LEFT if is_at_left == is_from_behind else Side.RIGHT).label)


def _rounded(point: Point) -> Point:
    return round(point[0], 1), round(point[1], 1)


def counts_by_sheet(marks: Iterable[Mark]) -> dict[Sheet, int]:
    """Return how many marks each sheet has."""
    counts = dict.fromkeys(Sheet, 0)
    for mark in marks:
        counts[SHEET_OF[mark.place.view]] += 1
    return counts
