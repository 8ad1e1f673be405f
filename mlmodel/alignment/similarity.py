"""Similarity transforms of the plane (turn, scale, shift), and their fit to matched points.

A point is a complex number, x + i·y, x rightwards and y downwards, in sides of a photograph's centre square, as
outlines are stored: 0 to 1 across the centre square, beyond it for the rest of the photograph. A similarity is then
z ↦ m·z + t.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlmodel.segmentation.outlines import Outline

Points = npt.NDArray[np.complex128]
# Tukey's biweight ignores points farther than this many (robust) standard deviations from the fit.
_TUKEY = 4.685
_ROUNDS = 20


@dataclass(frozen=True)
class Similarity:
    """z ↦ ``factor``·z + ``shift``; ``factor`` is not zero."""

    factor: complex
    shift: complex

    @property
    def scale(self) -> float:
        return abs(self.factor)

    @property
    def degrees(self) -> float:
        """The turn in (−180, 180], clockwise on the screen."""
        return float(np.degrees(np.angle(self.factor)))

    def __call__(self, points: Points) -> Points:
        moved: Points = self.factor * points + self.shift
        return moved

    def inverse(self) -> "Similarity":
        return Similarity(1 / self.factor, -self.shift / self.factor)

    def after(self, first: "Similarity") -> "Similarity":
        """Return the transform that applies ``first``, then this one."""
        return Similarity(self.factor * first.factor, self.factor * first.shift + self.shift)


IDENTITY = Similarity(1.0, 0.0)


@dataclass(frozen=True)
class Fit:
    """A similarity fitted to matched points.

    Attributes:
        similarity: the transform that carries the first points to the second.
        weights: float64 (N,), in [0, 1]; 0 for pairs that the fit ignores.
        spread: the weighted root mean square distance of the carried points from their partners.
        scale_error: the standard error of the transform's scale, relative to it.
    """

    similarity: Similarity
    weights: npt.NDArray[np.float64]
    spread: float
    scale_error: float


def fit_similarity(first: Points, second: Points, *, least_spread: float) -> Fit | None:
    """Return the similarity that carries ``first`` to ``second``, both (N,), by robust least squares.

    Iteratively reweighted with Tukey's biweight (Beaton & Tukey, Technometrics 16:147, 1974), from a median start. The
    closed form of each step is that of Umeyama (IEEE PAMI 13:376, 1991), without reflections.

    Args:
        least_spread: the spread that is assumed at least, the accuracy of a single match.

    Returns:
        None if fewer than three pairs, or pairs at only one place, are left.
    """
    shift = complex(np.median((second - first).real), np.median((second - first).imag))
    similarity, weights = Similarity(1.0, shift), np.ones(len(first))
    for _round in range(_ROUNDS):
        distances = np.abs(similarity(first) - second)
        # For distances in the plane (Rayleigh), the median is 1.18 standard deviations of one axis.
        sigma = max(float(np.median(distances)) / 1.18, least_spread)
        weights = np.clip(1 - (distances / (_TUKEY * sigma)) ** 2, 0.0, None) ** 2
        found = _weighted(first, second, weights)
        if found is None:
            return None
        similarity = found
    distances, total = np.abs(similarity(first) - second), float(weights.sum())
    spread = max(float(np.sqrt((weights * distances**2).sum() / total)), least_spread)
    centre = (weights * first).sum() / total
    extent = float((weights * np.abs(first - centre) ** 2).sum())
    # Each axis has half the squared spread; the scale is one of the four parameters that share 2·N numbers.
    error = spread / np.sqrt(2 * extent) * np.sqrt(max(total / max(total - 2, 1.0), 1.0))
    return Fit(similarity=similarity, weights=weights, spread=spread, scale_error=float(error / similarity.scale))


def _weighted(first: Points, second: Points, weights: npt.NDArray[np.float64]) -> Similarity | None:
    total = float(weights.sum())
    if np.count_nonzero(weights) < 3:
        return None
    from_centre, to_centre = (weights * first).sum() / total, (weights * second).sum() / total
    spokes = first - from_centre
    extent = float((weights * np.abs(spokes) ** 2).sum())
    if extent < 1e-9:
        return None
    factor = complex((weights * np.conj(spokes) * (second - to_centre)).sum() / extent)
    return None if factor == 0 else Similarity(factor, complex(to_centre - factor * from_centre))


def points_of(outline: Outline) -> Points:
    """Return an outline's points, float64 (N, 2), as complex numbers, (N,)."""
    points: Points = outline[:, 0] + 1j * outline[:, 1]
    return points


def outline_of(points: Points) -> Outline:
    """Return complex numbers, (N,), as an outline, float64 (N, 2)."""
    return np.stack([points.real, points.imag], axis=-1)
