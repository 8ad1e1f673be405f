"""Smooth curves through points, for the drawings of the body: as SVG paths and as polygons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Points = Sequence[Point]
Move = Callable[[Point], Point]

# Straight pieces that stand in for one cubic piece where points are looked up in a polygon.
_PIECES = 6
_TENSION = 1 / 6


@dataclass(frozen=True)
class Curve:
    """A smooth curve through ``points`` (Catmull–Rom); ``corners`` are the indices of the points where it bends."""

    points: tuple[Point, ...]
    is_closed: bool = True
    corners: frozenset[int] = frozenset()

    @classmethod
    def through(cls, *points: Point, is_closed: bool = True, corners: Sequence[int] = ()) -> "Curve":
        return cls(tuple(points), is_closed, frozenset(corner % len(points) for corner in corners))

    @property
    def path(self) -> str:
        """The curve as the ``d`` of an SVG path."""
        start = self.points[0]
        parts = [f"M{_number(start[0])} {_number(start[1])}"]
        for one, two, end in self._cubics():
            parts.append("C" + " ".join(f"{_number(x)} {_number(y)}" for x, y in (one, two, end)))
        return "".join(parts) + ("Z" if self.is_closed else "")

    @property
    def polygon(self) -> tuple[Point, ...]:
        """The curve as a polygon, close enough to tell what lies inside."""
        at, flat = self.points[0], [self.points[0]]
        for one, two, end in self._cubics():
            flat += [_on_cubic(at, one, two, end, piece / _PIECES) for piece in range(1, _PIECES + 1)]
            at = end
        return tuple(flat)

    def mirrored(self, about: float = 500) -> "Curve":
        return self.moved(lambda point: (2 * about - point[0], point[1]))

    def moved(self, move: Move) -> "Curve":
        return Curve(tuple(move(point) for point in self.points), self.is_closed, self.corners)

    def _cubics(self) -> list[tuple[Point, Point, Point]]:
        """Return each piece's two control points and its end."""
        count = len(self.points)
        pieces = count if self.is_closed else count - 1
        return [
            (self._control(index, +1), self._control((index + 1) % count, -1), self.points[(index + 1) % count])
            for index in range(pieces)
        ]

    def _control(self, index: int, direction: int) -> Point:
        x, y = self.points[index]
        if index in self.corners:
            return x, y
        before, after = self._neighbour(index, -1), self._neighbour(index, +1)
        return (
            x + direction * _TENSION * (after[0] - before[0]),
            y + direction * _TENSION * (after[1] - before[1]),
        )

    def _neighbour(self, index: int, step: int) -> Point:
        count = len(self.points)
        if self.is_closed:
            return self.points[(index + step) % count]
        return self.points[min(max(index + step, 0), count - 1)]


def symmetrical(*half: Point, about: float = 500, corners: Sequence[int] = ()) -> Curve:
    """Return the closed curve through ``half``, given as distances from the middle, and its mirror image.

    ``half`` runs from the middle to the middle, so its first and last points are not repeated.
    """
    right = [(about + x, y) for x, y in half]
    left = [(about - x, y) for x, y in half[-2:0:-1]]
    count = len(half)
    both = {corner % count for corner in corners}
    mirrored = {2 * (count - 1) - corner for corner in both if 0 < corner < count - 1}
    return Curve((*right, *left), corners=frozenset(both | mirrored))


def contains(polygon: Points, point: Point) -> bool:
    """Return whether the point lies inside the polygon (even-odd rule)."""
    x, y = point
    is_inside = False
    at = polygon[-1]
    for to in polygon:
        if (at[1] > y) != (to[1] > y) and x < at[0] + (y - at[1]) * (to[0] - at[0]) / (to[1] - at[1]):
            is_inside = not is_inside
        at = to
    return is_inside


def _on_cubic(at: Point, one: Point, two: Point, end: Point, share: float) -> Point:
    rest = 1 - share
    weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
    return (
        sum(weight * point[0] for weight, point in zip(weights, (at, one, two, end), strict=True)),
        sum(weight * point[1] for weight, point in zip(weights, (at, one, two, end), strict=True)),
    )


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
