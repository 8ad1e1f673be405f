"""Closed outlines of regions above a level, and their geometry.

An outline is float64 (N, 2), columns x (rightwards) and y (downwards), N ≥ 3, not repeating its first point. Functions
accept any unit of length; areas are in that unit squared.
"""

import numpy as np
import numpy.typing as npt

Outline = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

_DIRECTIONS = 180

# Marching squares (Lorensen & Cline, SIGGRAPH 1987, in two dimensions). A cell's corners are numbered from the top
# left, clockwise, as bits 1, 2, 4, 8; its edges are 0 top, 1 right, 2 bottom, 3 left. Each case has its segments from
# edge to edge, with the region on the right, so that outer outlines run clockwise on the screen. The two saddles (5
# and 10) separate their corners: regions that touch only at a corner are separate.
_SEGMENTS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),), 2: ((1, 0),), 3: ((1, 3),), 4: ((2, 1),), 5: ((0, 3), (2, 1)), 6: ((2, 0),), 7: ((2, 3),),
    8: ((3, 2),), 9: ((0, 2),), 10: ((1, 0), (3, 2)), 11: ((1, 2),), 12: ((3, 1),), 13: ((0, 1),), 14: ((3, 0),),
}  # fmt: skip
_TABLE = np.full((16, 2, 2), -1)
for _case, _segments in _SEGMENTS.items():
    _TABLE[_case, : len(_segments)] = _segments
# Row and column of both ends of each edge of a cell.
_ENDS = np.array([(0, 0, 0, 1), (0, 1, 1, 1), (1, 0, 1, 1), (0, 0, 1, 0)])


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
    following, places = _links(padded, level)
    places = np.clip((places - 0.5) / (width, height), 0.0, 1.0)
    loops = (places[loop] for loop in _loops(following, at_least))
    return sorted((loop for loop in loops if signed_area(loop) > 0.0), key=signed_area, reverse=True)


def _loops(following: npt.NDArray[np.intp], at_least: int) -> list[list[int]]:
    """Return the cycles of a permutation with at least this many members, each in order.

    Skin texture has thousands of short cycles. So all are first identified together by pointer jumping (the maximum
    over the next 1, 2, 4, … members, until nothing changes), and only long ones are followed.
    """
    highest, ahead = np.arange(len(following)), following
    while True:
        updated = np.maximum(highest, highest[ahead])
        if np.array_equal(updated, highest):
            break
        highest, ahead = updated, ahead[ahead]
    firsts = np.flatnonzero(np.bincount(highest, minlength=1) >= at_least)
    steps = following.tolist()
    loops = []
    for first in firsts[::-1].tolist():
        loop, here = [first], steps[first]
        while here != first:
            loop.append(here)
            here = steps[here]
        loops.append(loop)
    return loops


def _links(field: npt.NDArray[np.float64], level: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return the successor of each of N crossings of the grid's edges, (N,), and its position, x and y, (N, 2)."""
    is_in = field > level
    case = is_in[:-1, :-1] + 2 * is_in[:-1, 1:] + 4 * is_in[1:, 1:] + 8 * is_in[1:, :-1]
    rows, columns = np.nonzero((case > 0) & (case < 15))
    segments = _TABLE[case[rows, columns]].reshape(-1, 2)  # two per cell; the second is mostly empty
    rows, columns = np.repeat(rows, 2), np.repeat(columns, 2)
    is_one = segments[:, 0] >= 0
    rows, columns, leaves, enters = rows[is_one], columns[is_one], segments[is_one, 0], segments[is_one, 1]
    # Even numbers are edges to the right of a grid point, odd ones below it.
    width = field.shape[1]
    start, offsets = 2 * (rows * width + columns), np.array([0, 3, 2 * width, 1])
    ends = _ENDS[leaves]
    r0, c0, r1, c1 = rows + ends[:, 0], columns + ends[:, 1], rows + ends[:, 2], columns + ends[:, 3]
    share = (level - field[r0, c0]) / (field[r1, c1] - field[r0, c0])
    # Each crossing is the start of one segment and the end of another; look up its index by the edge's number.
    index = np.empty(2 * field.size, dtype=np.intp)
    index[start + offsets[leaves]] = np.arange(len(start))
    return index[start + offsets[enters]], np.column_stack([c0 + share * (c1 - c0), r0 + share * (r1 - r0)])


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
