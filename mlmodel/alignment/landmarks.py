"""Places that two aligned photographs share, found one by one: they correct an alignment and say how good it is.

Small squares of the first photograph are looked for in the second, in its frame, within a few pixels of where the
alignment says (normalised cross-correlation, Lewis, Vision Interface 1995). If the alignment is right, most of the
distinctive ones are where they should be; if it is wrong, they turn up anywhere.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from mlmodel.alignment.levels import Level
from mlmodel.alignment.similarity import Points

# In pixels of a level: half a square, how far it may lie from where it should, and the distance between squares.
_HALF, REACH, _STEP = 12, 7, 12
# A square is distinctive if it correlates so well at its best place and so much less anywhere else.
_LEAST_CORRELATION, _LEAST_LEAD = 0.55, 0.08
_SAME_PLACE = 2
_LEAST_CONTRAST = 0.25
_LEAST_SEEN = 0.95


@dataclass(frozen=True)
class Landmarks:
    """Matched places.

    Attributes:
        first: complex128 (N,), in the first photograph, in sides.
        second: complex128 (N,), where the second has them, in the frame of the first.
        pixel: a pixel, in sides: the unit of their accuracy.
        tried: how many squares had enough contrast to be looked for.
    """

    first: Points
    second: Points
    pixel: float
    tried: int


def landmarks(first: Level, other: Level) -> Landmarks:
    """Return the distinctive places that two photographs in one frame share within ``REACH`` pixels."""
    size, window = 2 * _HALF + 1, 2 * (_HALF + REACH) + 1
    height, width = first.values.shape
    margin = _HALF + REACH
    rows, columns = np.arange(margin, height - margin, _STEP), np.arange(margin, width - margin, _STEP)
    y, x = (each.ravel() for each in np.meshgrid(rows, columns, indexing="ij"))
    seen = (first.seen * other.seen).astype(np.float32)
    shares = sliding_window_view(seen, (window, window))[y - margin, x - margin].mean(axis=(1, 2))
    y, x = y[shares > _LEAST_SEEN], x[shares > _LEAST_SEEN]
    squares = sliding_window_view(first.values, (size, size))[y - _HALF, x - _HALF]
    squares = squares - squares.mean(axis=(1, 2), keepdims=True)
    contrast = np.sqrt((squares**2).mean(axis=(1, 2)))
    y, x, squares = (each[contrast > _LEAST_CONTRAST] for each in (y, x, squares))
    nothing = np.zeros(0, dtype=complex)
    if not len(y):
        return Landmarks(nothing, nothing, 1 / first.side, 0)
    windows = sliding_window_view(other.values, (window, window))[y - margin, x - margin]
    scores = _correlations(squares, windows)
    shifts, is_distinct = _peaks(scores)
    at = first.points((x + 0.5) + 1j * (y + 0.5))
    return Landmarks(at[is_distinct], (at + shifts / first.side)[is_distinct], 1 / first.side, len(at))


def _correlations(squares: npt.NDArray[np.float32], windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the correlation at each place of N squares (S, S), of mean 0, in N windows, float64 (N, 15, 15)."""
    size, window = squares.shape[1], windows.shape[1]
    places = window - size + 1
    shape = (window + 1, window + 1)
    spectrum = np.fft.rfft2(windows, shape) * np.conj(np.fft.rfft2(squares, shape))
    products = np.fft.irfft2(spectrum, shape)[:, :places, :places]
    sums, energies = (_box_sums(each.astype(np.float64), size) for each in (windows, windows**2))
    variance = np.maximum(energies - sums**2 / size**2, 1e-6)
    own = (squares.astype(np.float64) ** 2).sum(axis=(1, 2))[:, None, None]
    correlations: npt.NDArray[np.float64] = products / np.sqrt(np.maximum(variance * own, 1e-9))
    return correlations


def _box_sums(values: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
    sums = np.pad(values.cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0)))
    return sums[:, size:, size:] - sums[:, :-size, size:] - sums[:, size:, :-size] + sums[:, :-size, :-size]


def _peaks(scores: npt.NDArray[np.float64]) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Return the best shift of each square in pixels, (N,), and whether it is distinctive."""
    count, places = len(scores), scores.shape[1]
    flat = scores.reshape(count, -1)
    best = flat.argmax(axis=1)
    row, column = np.divmod(best, places)
    rows, columns = np.mgrid[:places, :places]
    is_near = np.maximum(np.abs(rows - row[:, None, None]), np.abs(columns - column[:, None, None])) <= _SAME_PLACE
    rivals = np.where(is_near, -1.0, scores).max(axis=(1, 2))
    top = flat[np.arange(count), best]
    is_inside = (row > 0) & (row < places - 1) & (column > 0) & (column < places - 1)
    inner_row, inner_column = np.clip(row, 1, places - 2), np.clip(column, 1, places - 2)
    number = np.arange(count)

    def vertex(
        before: npt.NDArray[np.float64], at: npt.NDArray[np.float64], after: npt.NDArray[np.float64]
    ) -> np.ndarray:
        """Return the top of the parabola through three neighbours, in [−0.5, 0.5]."""
        bend = before - 2 * at + after
        return np.clip(0.5 * (before - after) / np.where(bend < -1e-9, bend, -1.0), -0.5, 0.5)

    peak = scores[number, inner_row, inner_column]
    down = vertex(scores[number, inner_row - 1, inner_column], peak, scores[number, inner_row + 1, inner_column])
    across = vertex(scores[number, inner_row, inner_column - 1], peak, scores[number, inner_row, inner_column + 1])
    shifts = (inner_column + across - REACH) + 1j * (inner_row + down - REACH)
    return shifts, is_inside & (top >= _LEAST_CORRELATION) & (top - rivals >= _LEAST_LEAD)
