"""Closed outlines of regions above a level, and their geometry.

An outline is float64 (N, 2), columns x (rightwards) and y (downwards), N ≥ 3, not repeating its first point. Functions
accept any unit of length; areas are in that unit squared.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Outline = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

_DIRECTIONS = 180

# The four neighbours of a pixel, clockwise on the screen: rows and columns to go.
_DOWN, _LEFT, _UP, _RIGHT = (1, 0), (0, -1), (-1, 0), (0, 1)
_NEIGHBOURS = np.array([_DOWN, _LEFT, _UP, _RIGHT])


def outlines_of(field: Field, *, level: float, at_least: int = 3) -> list[Outline]:
    """Return the outer outlines of the regions where ``field`` is above ``level``, the largest region first.

    Positions are interpolated linearly between pixel centres, for subpixel accuracy. Holes are ignored: a region is
    everything within its outer outline. Regions that reach the edge are closed along the edge.

    Args:
        field: float32 (H, W).
        level: the threshold.
        at_least: the minimum number of points; shorter outlines are ignored.

    Returns:
        Outlines in fractions of W and H, from 0 to 1.
    """
    height, width = field.shape
    # Padding values are as far below the level as their neighbours are above, so that outlines run along the edge.
    padded = np.pad(field.astype(np.float64), 1, mode="edge")
    for rim in (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1]):
        padded[rim] = level - np.abs(padded[rim] - level) - 1e-9
    following, places = _crossings(padded, level)
    places = np.clip((places - 0.5) / (width, height), 0.0, 1.0)
    loops = (places[loop] for loop in _loops(following) if len(loop) >= at_least)
    return sorted((loop for loop in loops if signed_area(loop) > 0.0), key=signed_area, reverse=True)


def _crossings(field: npt.NDArray[np.float64], level: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return where a field crosses the level between neighbouring pixels: successors, (N,), and x and y, (N, 2).

    These are marching squares (Lorensen & Cline, SIGGRAPH 1987, in two dimensions), with the region on the right, so
    that outer outlines run clockwise on the screen. Regions that touch only at a corner are separate. The field's
    outermost pixels must not be above the level.
    """
    values, is_in = field.ravel(), field.ravel() > level
    steps = _NEIGHBOURS @ (field.shape[1], 1)
    region = np.flatnonzero(is_in)
    which, side = np.nonzero(~is_in[region[:, None] + steps])
    inner = region[which]
    outer = inner + steps[side]
    # Ahead are the next pixels along the outline, on either side of it. It turns right around the inner pixel, goes
    # straight on, or turns left.
    ahead = steps[(side + 1) % 4]
    turns_right = ~is_in[inner + ahead]
    turns_left = ~turns_right & is_in[outer + ahead]
    next_inner = np.where(turns_right, inner, np.where(turns_left, outer, inner) + ahead)
    next_side = (side + turns_right - turns_left) % 4
    following = np.searchsorted(4 * inner + side, 4 * next_inner + next_side)
    share = (values[inner] - level) / (values[inner] - values[outer])
    places = np.column_stack(np.divmod(inner, field.shape[1])) + share[:, None] * _NEIGHBOURS[side]
    return following, places[:, ::-1]


def _loops(following: npt.NDArray[np.intp]) -> Iterator[list[int]]:
    """Yield the cycles of a permutation, each in order."""
    steps, is_done = following.tolist(), bytearray(len(following))
    for here in reversed(range(len(steps))):
        loop = []
        while not is_done[here]:
            is_done[here] = True
            loop.append(here)
            here = steps[here]
        if loop:
            yield loop


def signed_area(outline: Outline) -> float:
    """Return the enclosed area, positive for an outline that runs clockwise on the screen (the shoelace formula)."""
    x, y = outline.T
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1] + x[-1] * y[0] - x[0] * y[-1]) / 2


def perimeter(outline: Outline) -> float:
    """Return the length of the closed outline."""
    return float(np.hypot(*(np.roll(outline, -1, axis=0) - outline).T).sum())


def centroid(outline: Outline) -> npt.NDArray[np.float64]:
    """Return the centre of mass of the enclosed region, float64 (2,)."""
    following = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * following[:, 1] - following[:, 0] * outline[:, 1]
    result: npt.NDArray[np.float64] = ((outline + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    return result


def evenly_spaced(outline: Outline, count: int) -> Outline:
    """Return ``count`` points at equal distances along the outline."""
    closed = np.vstack([outline, outline[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    positions = np.arange(count) * (along[-1] / count)
    return np.column_stack([np.interp(positions, along, closed[:, axis]) for axis in (0, 1)])


def convex_hull(outline: Outline) -> Outline:
    """Return the corners of the convex hull, in order (Andrew's monotone chain, 1979)."""
    points = sorted(set(map(tuple, outline.tolist())))
    halves = []
    for ordered in (points, points[::-1]):
        half: list[tuple[float, ...]] = []
        for point in ordered:
            while len(half) > 1 and _turn(half[-2], half[-1], point) <= 0:
                half.pop()
            half.append(point)
        halves.append(half[:-1])
    return np.array(halves[0] + halves[1])


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def longest_diameter(outline: Outline) -> float:
    """Return the distance between the two points that are farthest apart (the largest Feret diameter), within 0.01 %.

    It is the largest extent of the outline in 180 directions.
    """
    angles = np.arange(_DIRECTIONS) * (np.pi / _DIRECTIONS)
    projections = outline @ np.stack([np.cos(angles), np.sin(angles)])
    return float(np.ptp(projections, axis=0).max())


def share_on_frame(outline: Outline, *, margin: float) -> float:
    """Return the share of the outline's length within ``margin`` of the unit square's sides, from 0 to 1."""
    following = np.roll(outline, -1, axis=0)
    lengths = np.hypot(*(following - outline).T)
    at_side = [
        (np.abs(outline[:, axis] - side) <= margin) & (np.abs(following[:, axis] - side) <= margin)
        for axis in (0, 1)
        for side in (0.0, 1.0)
    ]
    return float(lengths[np.any(at_side, axis=0)].sum() / max(lengths.sum(), 1e-12))
