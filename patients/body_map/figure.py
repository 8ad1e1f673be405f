"""What a drawing of the body consists of: outlines, the regions inside them, and lines that only help to see."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from patients.body_map.curves import Curve, Point, contains
from patients.models.lesion import BodySite, Side

_OTHER_SIDE = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


@dataclass(frozen=True)
class Region:
    """The part of a drawing that shows one body site on one side; outside the outlines it is cut off.

    Attributes:
        side: the patient's own left or right.
        shapes: several for fingers and toes.
        is_over: it lies on top of other regions, as an eyelid does on the face.
        has_middle: it reaches the middle of the body, so that a place in it may be “midline”.
        outline: the index of the only outline to which it belongs; None if it may lie in any.
    """

    site: BodySite
    side: Side
    shapes: tuple[Curve, ...]
    is_over: bool = False
    has_middle: bool = False
    outline: int | None = None

    @property
    def key(self) -> str:
        return f"{self.side.value}-{self.site.value}"

    @property
    def path(self) -> str:
        return "".join(shape.path for shape in self.shapes)

    @cached_property
    def polygons(self) -> tuple[tuple[Point, ...], ...]:
        return tuple(shape.polygon for shape in self.shapes)

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        points = [point for polygon in self.polygons for point in polygon]
        return (
            min(x for x, _y in points),
            min(y for _x, y in points),
            max(x for x, _y in points),
            max(y for _x, y in points),
        )

    def contains(self, point: Point) -> bool:
        left, top, right, bottom = self.bounds
        if not (left <= point[0] <= right and top <= point[1] <= bottom):
            return False
        return any(contains(polygon, point) for polygon in self.polygons)

    def mirrored(self) -> "Region":
        """The region on the other side of the body."""
        shapes = tuple(shape.mirrored() for shape in self.shapes)
        return replace(self, side=_OTHER_SIDE[self.side], shapes=shapes)


@dataclass(frozen=True)
class Figure:
    """One drawing, in a frame of 1000 by 1000.

    Attributes:
        outlines: closed curves; what is drawn later covers what is drawn before.
        details: lines without meaning for the record, such as the collarbones.
        left, right: how far the drawing extends; the frame is cropped to that when it is shown.
        is_upright: it shows the whole body, whose proportions differ most between children and adults.
    """

    outlines: tuple[Curve, ...]
    regions: tuple[Region, ...]
    details: tuple[Curve, ...] = ()
    left: float = 0
    right: float = 1000
    is_upright: bool = False

    @cached_property
    def outline_polygons(self) -> tuple[tuple[Point, ...], ...]:
        return tuple(outline.polygon for outline in self.outlines)

    def region_at(self, point: Point) -> Region | None:
        """Return the region under a point; None beside the body."""
        inside = {index for index, polygon in enumerate(self.outline_polygons) if contains(polygon, point)}
        if not inside:
            return None
        # Regions that lie on top of others come last.
        for region in reversed(self.in_order):
            if (region.outline is None or region.outline in inside) and region.contains(point):
                return region
        return None

    @cached_property
    def in_order(self) -> tuple[Region, ...]:
        return tuple(sorted(self.regions, key=lambda region: region.is_over))

    def mirrored(self) -> "Figure":
        return Figure(
            outlines=tuple(outline.mirrored() for outline in self.outlines),
            regions=tuple(region.mirrored() for region in self.regions),
            details=tuple(detail.mirrored() for detail in self.details),
            left=1000 - self.right,
            right=1000 - self.left,
            is_upright=self.is_upright,
        )


def cell(*points: Point) -> Curve:
    """Return a region's shape with straight sides."""
    return Curve(tuple(points), corners=frozenset(range(len(points))))


def both_sides(
    site: BodySite,
    *shapes: Curve,
    is_over: bool = False,
    has_middle: bool = False,
) -> tuple[Region, Region]:
    """Return a region of the patient's left, and its mirror image. Seen from the front, their left is at our right.

    Args:
        shapes: at the right of the picture, for a drawing in which the patient faces us.
    """
    left = Region(site, Side.LEFT, shapes, is_over, has_middle)
    return left, left.mirrored()


def from_middle(*points: Point) -> Curve:
    """Return a cell whose points are given as distances from the middle, at the right of the picture."""
    return cell(*((500 + x, y) for x, y in points))


def details_of_both(*curves: Curve) -> tuple[Curve, ...]:
    return (*curves, *(curve.mirrored() for curve in curves))


def line(*points: Point, about: float = 500) -> Curve:
    """Return an open line, its points given as distances from the middle."""
    return Curve(tuple((about + x, y) for x, y in points), is_closed=False)


def joined(groups: Iterable[tuple[Region, ...]]) -> tuple[Region, ...]:
    return tuple(region for group in groups for region in group)
