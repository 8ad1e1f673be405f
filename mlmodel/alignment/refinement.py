"""Refinement of an alignment by intensities.

Gauss–Newton steps on the differences between the first photograph and the second in its frame (Lucas & Kanade, IJCAI
1981; Baker & Matthews, IJCV 56:221, 2004), each with a small weight where the difference is large, so that hairs,
bubbles and what has grown do not pull.
"""

import numpy as np

from mlmodel.alignment.levels import Level, Photograph
from mlmodel.alignment.similarity import IDENTITY, Similarity

# Each round takes the second photograph into the first's frame again; the steps within move that small picture.
_ROUNDS, _STEPS = 3, 8
# A step that moves no corner by more than this many pixels is the last.
_STILL = 0.03
# Longer steps, in sides, leave the range in which the gradients hold.
_LONGEST_STEP = 0.08
_LEAST_PIXELS = 150
_MIDDLE = 0.5 + 0.5j


def refined(first: Level, second: Photograph, to_second: Similarity) -> Similarity:
    """Return the similarity from ``first`` to ``second`` near ``to_second`` under which they differ least."""
    for _round in range(_ROUNDS):
        other, update = second.in_frame_of(first, to_second), IDENTITY
        for _step in range(_STEPS):
            found = _step_of(first, other.moved(update))
            if found is None:
                return to_second
            step, moved = found
            update = update.after(step)
            if moved < _STILL:
                break
        to_second = to_second.after(update)
        if abs(update.factor - 1) + abs(update.factor * _MIDDLE + update.shift - _MIDDLE) < _STILL / first.side:
            break
    return to_second


def correlation(first: Level, other: Level) -> float:
    """Return the correlation of two photographs in one frame over what both show; −1 if that is too little."""
    both = (first.seen * other.seen) > 0
    if both.sum() < max(_LEAST_PIXELS, 0.1 * first.seen.sum()):
        return -1.0
    a, b = first.values[both], other.values[both]
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt(max(float((a * a).sum() * (b * b).sum()), 1e-9)))


def _step_of(first: Level, other: Level) -> tuple[Similarity, float] | None:
    """Return the step, to be taken before ``other`` was moved, and how far it moves a corner, in pixels."""
    both = (first.seen * other.seen) > 0
    both[[0, -1]] = both[:, [0, -1]] = False
    if both.sum() < _LEAST_PIXELS:
        return None
    across, down = (np.asarray(np.gradient(other.values, axis=axis)) for axis in (1, 0))
    a, b = first.values[both], other.values[both]
    gain = float((a * b).sum() / max(float((b * b).sum()), 1e-9))
    if gain <= 0:
        return None
    differences = a - gain * b
    sigma = 1.48 * float(np.median(np.abs(differences))) + 1e-6
    weights = 1 / (1 + (differences / (2 * sigma)) ** 2) ** 2
    # The step is z ↦ (1 + u)·(z − c) + c + v in pixels of the first's frame.
    points = first.grid[both] * first.side
    centre = complex(points.mean())
    x, y = (points - centre).real, (points - centre).imag
    gx, gy = gain * across[both], gain * down[both]
    jacobian = np.stack([gx * x + gy * y, gy * x - gx * y, gx, gy], axis=-1)
    weighted = jacobian * weights[:, None]
    normal = weighted.T @ jacobian
    normal += np.diag(np.diag(normal)) * 1e-3 + np.eye(4) * 1e-6
    u1, u2, v1, v2 = np.linalg.solve(normal, weighted.T @ differences).tolist()
    u, v = complex(u1, u2), complex(v1, v2)
    moved = abs(u) * float(np.abs(points - centre).max()) + abs(v)
    shorter = min(1.0, _LONGEST_STEP * first.side / max(moved, 1e-9))
    u, v = u * shorter, v * shorter
    return Similarity(1 + u, (v - u * centre) / first.side), moved * shorter
