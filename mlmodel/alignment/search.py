"""Starts for an alignment: every turn and scale in coarse steps, and for each all shifts at once.

The score of a shift is the normalised correlation over what both photographs show (masked correlation in the Fourier
domain, Padfield, IEEE TIP 21:2706, 2012; here the means are nearly zero already).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlmodel.alignment.levels import COARSE, Level, Photograph
from mlmodel.alignment.similarity import Similarity

# Photographs of one lesion in HAM10000 differ up to about three times in scale.
SMALLEST_SCALE, LARGEST_SCALE = 1 / 3.2, 3.2
_TURNS = np.arange(0, 360, 15)
_STEP = 2**0.25
# The share of the smaller photograph that must overlap. A high correlation over few pixels is more often one of
# chance, so the score is multiplied by this power of the share of the first photograph that overlaps.
_LEAST_OVERLAP, _OVERLAP_POWER = 0.3, 0.3
_CANVAS = 2 * COARSE
# Starts whose factors differ by less than this (in turn and in the logarithm of the scale) end at the same place.
_NEIGHBOURS = 0.3

Stack = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Start:
    """A similarity from the first photograph to the second, with its score, at most 1."""

    similarity: Similarity
    score: float


def starts(first: Level, second: Photograph, *, scales: tuple[float, float], count: int) -> list[Start]:
    """Return the ``count`` most promising starts, the best first.

    Args:
        first: the first photograph at ``COARSE`` pixels.
        scales: the least and the largest scale of the transform from the first to the second.
    """
    low, high = np.log(scales) / np.log(_STEP)
    candidates: list[Start] = []
    for scale in _STEP ** np.arange(np.floor(low), np.ceil(high) + 1):
        side = max(10, round(COARSE / scale))
        candidates += _best_shifts(first, second.level(side, frame=COARSE))
    candidates.sort(key=lambda start: -start.score)
    return list(_apart(candidates))[:count]


def _apart(candidates: list[Start]) -> Iterator[Start]:
    """Yield the candidates that are not neighbours of a better one."""
    chosen: list[complex] = []
    for candidate in candidates:
        factor = candidate.similarity.factor
        if all(abs(np.log(factor / other)) > _NEIGHBOURS for other in chosen):
            chosen.append(factor)
            yield candidate


def _best_shifts(first: Level, second: Level) -> list[Start]:
    """Return the best shift for each turn of the second, which has pixels of the same size as the first's."""
    height, width = first.values.shape
    values, seen = _turned(second)
    shape = (_fast(height + _CANVAS), _fast(width + _CANVAS))
    own = [np.fft.rfft2(each, shape) for each in (first.values, first.values**2, first.seen)]
    other = [np.conj(np.fft.rfft2(each, shape)) for each in (values, values**2, seen)]
    products, own_energy, other_energy, overlap = (
        np.fft.irfft2(own[a] * other[b], shape) for a, b in ((0, 0), (1, 2), (2, 1), (2, 2))
    )
    smaller = np.minimum(first.seen.sum(), seen.sum(axis=(1, 2)))[:, None, None]
    share = np.clip(overlap / np.maximum(smaller, 1.0), 0.0, 1.0)
    correlations = products / np.sqrt(np.maximum(own_energy * other_energy, 1e-3))
    weight = (overlap / COARSE**2).clip(0.0, 1.0) ** _OVERLAP_POWER
    scores = np.where(share >= _LEAST_OVERLAP, correlations * weight, -1.0)
    best = scores.reshape(len(scores), -1).argmax(axis=1)
    # Pixel p of the first is pixel p − shift of the canvas; shifts beyond the frame are negative ones.
    row, column = np.divmod(best, shape[1])
    shifts = np.where(column > width, column - shape[1], column) + 1j * np.where(row > height, row - shape[0], row)
    middle, centre = complex(_CANVAS, _CANVAS) / 2, complex(*second.values.shape[::-1]) / 2
    result = []
    for turn, shift, score in zip(_TURNS, shifts, scores.reshape(len(scores), -1).max(axis=1), strict=True):
        factor = complex(np.exp(1j * np.radians(turn)))
        moved = factor * (first.origin - shift - middle) + centre - second.origin
        to_second = Similarity(factor * first.side / second.side, complex(moved / second.side))
        result.append(Start(to_second, float(score)))
    return result


def _turned(second: Level) -> tuple[Stack, Stack]:
    """Return values and what is seen for every turn about the centre, in the middle of a canvas, float32 (T, C, C)."""
    layers = np.zeros((2, len(_TURNS), _CANVAS, _CANVAS), dtype=np.float32)
    middle, centre = complex(_CANVAS, _CANVAS) / 2, complex(*second.values.shape[::-1]) / 2
    images = [Image.fromarray(each) for each in (second.values, second.seen)]
    for number, turn in enumerate(_TURNS):
        factor = complex(np.exp(1j * np.radians(turn)))
        shift = centre - factor * middle
        matrix = (factor.real, -factor.imag, shift.real, factor.imag, factor.real, shift.imag)
        for layer, image in zip(layers, images, strict=True):
            turned = image.transform((_CANVAS, _CANVAS), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
            layer[number] = np.asarray(turned)
    seen = (layers[1] > 0.5).astype(np.float32)
    return layers[0] * seen, seen


def _fast(length: int) -> int:
    """Return the next length without prime factors above 5, for which the transform is fast."""
    while _is_slow(length):
        length += 1
    return length


def _is_slow(length: int) -> bool:
    for prime in (2, 3, 5):
        while length % prime == 0:
            length //= prime
    return length > 1
