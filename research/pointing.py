"""Pointing scores of heat maps against lesion masks, with confidence intervals.

The pointing game (Zhang et al., IJCV 126:1084, 2018) asks whether the brightest point lies in the mask; its
energy-based form (Wang et al., Score-CAM, CVPR Workshops 2020) asks what share of the heat does.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import center_of_mass, distance_transform_edt

Floats = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]

# A lesion is small below this share of the square, and off-centre beyond this distance, as a share of the side.
SMALL, OFF_CENTRE = 0.15, 0.1
_RESAMPLES = 2000
# Width, right and down are undefined for a map without heat.
_NOTHING = (float("nan"),) * 3


@dataclass(frozen=True)
class Score:
    """The scores of one map against one mask.

    Attributes:
        hit: 1.0 if the brightest point is in the mask or within the tolerance of it, else 0.0.
        energy: the share of the heat inside the mask.
        density: the same relative to an even spread; 1 is uninformative.
        width: the standard deviation of a Gaussian that covers the same area (1 / Σ p², p the shares of the heat), as
            a share of the side: how concentrated the heat is, wherever it is.
        right: how far the heat's centre of mass is to the right of the mask's, as a share of the side.
        down: how far it is below it.
    """

    hit: float
    energy: float
    density: float
    width: float
    right: float
    down: float


def score(heat: Floats, mask: Mask, *, tolerance: float = 0.0) -> Score:
    """Return the score of one map, ≥ 0 and of the mask's shape; a map without heat scores as an even one.

    Args:
        heat: float (side, side).
        mask: bool (side, side), not empty.
        tolerance: how far outside the mask still counts as a hit, as a share of the side.
    """
    total, side = float(heat.sum()), mask.shape[0]
    if total <= 0.0:
        return Score(0.0, float(mask.mean()), 1.0, *_NOTHING)
    energy = float(heat[mask].sum()) / total
    width = total / np.sqrt(4 * np.pi * float(np.square(heat, dtype=np.float64).sum())) / side
    hit = near(mask, tolerance).flat[int(heat.argmax())]
    down, right = (np.array(center_of_mass(heat)) - center_of_mass(mask)) / side
    return Score(float(hit), energy, energy / float(mask.mean()), float(width), float(right), float(down))


def even_score(mask: Mask, *, tolerance: float = 0.0) -> Score:
    """Return the expected score of an uninformative map: brightest point anywhere, heat everywhere."""
    return Score(float(near(mask, tolerance).mean()), float(mask.mean()), 1.0, *_NOTHING)


def centred(side: int, *, width: float) -> Floats:
    """Return the baseline map: a Gaussian in the centre of the square, where lesions usually are."""
    along = (np.arange(side) + 0.5) / side - 0.5
    bell = np.exp(-0.5 * np.square(along / width))
    return np.outer(bell, bell)


def near(mask: Mask, tolerance: float) -> Mask:
    """Return the mask dilated by ``tolerance``, a share of the side."""
    if tolerance <= 0.0:
        return mask
    dilated: Mask = distance_transform_edt(~mask) <= tolerance * mask.shape[0]
    return dilated


def is_small(mask: Mask) -> bool:
    return bool(mask.mean() < SMALL)


def is_off_centre(mask: Mask) -> bool:
    """Return whether the mask's centre of mass is farther than ``OFF_CENTRE`` from the centre of the square."""
    place = (np.array(center_of_mass(mask)) + 0.5) / mask.shape[0] - 0.5
    return bool(np.hypot(*place) > OFF_CENTRE)


def means_with_intervals(
    values: Floats, lesions: npt.NDArray[np.str_], *, seed: int = 0
) -> list[tuple[float, float, float]]:
    """Return the mean of each column with its 95 % percentile interval over resampled lesions.

    A lesion is drawn with all its photographs. All columns use the same resamples, so the interval of a difference is
    that of a column of differences.

    Args:
        values: float (N, K), one row per photograph.
        lesions: str (N,).
        seed: the seed of the resamples.
    """
    _, group = np.unique(lesions, return_inverse=True)
    count = int(group.max()) + 1
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, group, values)
    sizes = np.bincount(group)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=_RESAMPLES)
    means = (drawn @ sums) / (drawn @ sizes)[:, None]
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return list(zip(values.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True))
