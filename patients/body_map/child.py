"""The proportions of a child: the adult's drawing with a larger head and shorter limbs.

A place is always kept in the frame of the adult's drawing, so that a pin stays where it is when a child grows up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from patients.body_map.curves import Point
from patients.body_map.figure import Figure
from patients.body_map.views import FIGURES, SHEET_OF, Sheet
from patients.models.placement import MapView

# Patients younger than this, in years, get the drawing of a child.
CHILD_UNTIL = 12

Knots = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Proportions:
    """How the drawing of a child differs from an adult's.

    Attributes:
        heights: heights in the adult's drawing with those in the child's, ascending.
        widths: heights in the adult's drawing with the factor of the width there.
        middle: the height's axis, which stays where it is.
    """

    heights: Knots
    widths: Knots
    middle: float = 500

    def to_child(self, point: Point) -> Point:
        x, y = point
        return self.middle + (x - self.middle) * _between(self.widths, y), _between(self.heights, y)

    def to_adult(self, point: Point) -> Point:
        x, height = point
        y = _between([(child, adult) for adult, child in self.heights], height)
        return self.middle + (x - self.middle) / _between(self.widths, y), y


_BODY = Proportions(
    heights=((0, 0), (18, 18), (152, 192), (200, 226), (330, 376), (530, 580), (745, 776), (944, 946), (1000, 1000)),
    widths=(
        (0, 1.22), (110, 1.2), (150, 1.06), (168, 0.92), (200, 0.94), (260, 0.96), (390, 1.05), (500, 0.96),
        (640, 0.98),
        (745, 1.06), (850, 1.0), (1000, 0.96),
    ),
)  # fmt: skip
_HEAD = Proportions(
    heights=((0, 0), (50, 40), (420, 490), (640, 672), (842, 826), (900, 880), (1070, 1070)),
    widths=((0, 1.02), (300, 1.06), (560, 1.02), (740, 0.9), (842, 0.84), (1000, 0.82), (1070, 0.82)),
)
_SAME = Proportions(heights=((0, 0), (1000, 1000)), widths=((0, 1), (1000, 1)))


def proportions_of(view: MapView) -> Proportions:
    if SHEET_OF[view] is Sheet.BODY:
        return _BODY
    return _HEAD if SHEET_OF[view] is Sheet.HEAD else _SAME


@cache
def figure_of(view: MapView, *, is_child: bool) -> Figure:
    """Return the drawing of a view."""
    figure = FIGURES[view]
    if not is_child:
        return figure
    move = proportions_of(view).to_child
    return replace(
        figure,
        outlines=tuple(outline.moved(move) for outline in figure.outlines),
        regions=tuple(
            replace(region, shapes=tuple(shape.moved(move) for shape in region.shapes)) for region in figure.regions
        ),
        details=tuple(detail.moved(move) for detail in figure.details),
    )


def shown_at(view: MapView, point: Point, *, is_child: bool) -> Point:
    """Return where a kept place lies in the drawing that is shown."""
    return proportions_of(view).to_child(point) if is_child else point


def kept_at(view: MapView, point: Point, *, is_child: bool) -> Point:
    """Return the place to keep for a point of the drawing that is shown."""
    return proportions_of(view).to_adult(point) if is_child else point


def _between(knots: Knots, value: float) -> float:
    """Interpolate between the knots; beyond them their nearest value holds."""
    for (start, low), (end, high) in pairwise(knots):
        if value <= end:
            return low + (high - low) * max(value - start, 0) / (end - start)
    return knots[-1][1]
