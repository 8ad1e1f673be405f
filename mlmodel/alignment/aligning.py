"""Alignment of two photographs of one lesion: found, checked, or refused.

Every turn and scale is tried at low resolution (``search``), the best are refined by intensities (``refinement``),
and places that both photographs share are then looked for one by one (``landmarks``). They correct the alignment and
decide whether there is one: a wrong alignment would show changes that are none, and hide some that are.

An alignment of everything follows the lesion, whose structures are the strongest, and takes its growth for a closer
camera. Where the skin around the lesion shows enough, it alone decides.

``python -m benchmarks.alignment`` measures it; docs/understand/alignment.md has the figures.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mlmodel.alignment.landmarks import Landmarks, landmarks
from mlmodel.alignment.levels import COARSE, FINE, MIDDLE, Level, Photograph
from mlmodel.alignment.refinement import correlation, refined
from mlmodel.alignment.search import LARGEST_SCALE, SMALLEST_SCALE, starts
from mlmodel.alignment.similarity import Fit, Similarity, fit_similarity, outline_of, points_of
from mlmodel.segmentation.outlines import Outline, signed_area
from mlmodel.segmentation.segmenter import filled

# Stored alignments of another method are not used.
METHOD = "1"

_STARTS, _FINALISTS = 6, 2
# Correlations at ``MIDDLE``: wrong alignments of small overlaps reach 0.6, right ones of two cameras 0.7 and more.
_BEYOND_DOUBT = 0.65
# With two outlines, only scales are tried at which the lesion's diameter differs by no more than this factor.
_MOST_GROWTH = 1.8
# Landmarks agree with an alignment within this many pixels of ``FINE``.
_AGREE_WITHIN = 2.5
_ACCURACY = 0.3
# An alignment needs this many agreeing landmarks, and this share of all that were matched: four times what chance
# gives within their reach. Pairs of two different lesions have hardly any (docs/understand/alignment.md).
LEAST_AGREEING, LEAST_SHARE = 10, 0.35
_LEAST_FITTED = 8
# Skin begins beyond the outline, enlarged by this factor about its middle.
_AROUND = 1.1
# Neighbouring landmarks share half of their pixels, so that they are worth fewer than their number.
_SHARED = 2.0


class AlignmentRefusal(StrEnum):
    """Why two photographs were not aligned."""

    NOTHING_SHARED = "nothing_shared"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Alignment:
    """The second photograph in the frame of the first.

    Attributes:
        to_second: the transform from points of the first to points of the second, in sides of the centre squares.
        agreeing, matched: landmarks where the alignment says, of those that were recognised at all.
        residual: how far agreeing landmarks lie from where the alignment says, root mean square, in sides of the
            first's centre square.
        refusal: why it must not be used; None if it may.
        scale_error: the relative standard error of its scale; None if too few landmarks agree.
        is_by_skin: whether the skin around the lesion alone decided. Otherwise the alignment may have followed the
            lesion and taken its growth for a closer camera, so that areas must not be compared by it.
    """

    to_second: Similarity
    agreeing: int
    matched: int
    residual: float
    refusal: AlignmentRefusal | None
    scale_error: float | None = None
    is_by_skin: bool = False


def align(
    first: npt.NDArray[np.uint8],
    second: npt.NDArray[np.uint8],
    *,
    outlines: tuple[Outline | None, Outline | None] = (None, None),
) -> Alignment:
    """Return the alignment of two photographs, or why there is none.

    Takes about a second of one processor.

    Args:
        first, second: uint8 (H, W, 3), sRGB, upright; at least 64 pixels in each direction.
        outlines: the lesion's outline in each, float64 (N, 2), in sides of the centre square; None if it is not
            reliable, or cut off by the square.
    """
    own, other = Photograph(first), Photograph(second)
    found = starts(own.level(COARSE), other, scales=_scales(outlines), count=_STARTS)
    better = _refined(own.level(MIDDLE), other, [start.similarity for start in found])
    best = Alignment(Similarity(1.0, 0.0), 0, 0, 0.0, AlignmentRefusal.NOTHING_SHARED)
    fine = own.level(FINE)
    for candidate in better[:_FINALISTS]:
        alignment = _checked(fine, other, candidate)
        if alignment.agreeing >= best.agreeing:
            best = alignment
        if best.refusal is None:
            skin = _by_skin(own, other, best, outlines)
            return best if skin is None else replace(skin, is_by_skin=True)
    return best


def _refined(first: Level, second: Photograph, similarities: list[Similarity]) -> list[Similarity]:
    """Return refined starts, the best first, without the rest once one is beyond doubt."""
    results: list[tuple[float, Similarity]] = []
    for start in similarities:
        similarity = refined(first, second, start)
        if not SMALLEST_SCALE / 1.5 < similarity.scale < LARGEST_SCALE * 1.5:
            continue
        results.append((correlation(first, second.in_frame_of(first, similarity)), similarity))
        if results[-1][0] > _BEYOND_DOUBT:
            break
    results.sort(key=lambda result: -result[0])
    return [similarity for _correlation, similarity in results]


def _scales(outlines: tuple[Outline | None, Outline | None]) -> tuple[float, float]:
    first, second = outlines
    if first is None or second is None:
        return SMALLEST_SCALE, LARGEST_SCALE
    ratio = float(np.sqrt(signed_area(second) / signed_area(first)))
    low, high = max(SMALLEST_SCALE, ratio / _MOST_GROWTH), min(LARGEST_SCALE, ratio * _MOST_GROWTH)
    return (low, high) if low < high else (SMALLEST_SCALE, LARGEST_SCALE)


def _checked(first: Level, second: Photograph, start: Similarity) -> Alignment:
    """Return the alignment near ``start``, corrected by landmarks and judged by them."""
    to_second = refined(first, second, start)
    for _round in range(2):
        fit = _fit(landmarks(first, second.in_frame_of(first, to_second)))
        if fit is None or not 0.7 < fit.similarity.scale < 1.4:
            break
        to_second = to_second.after(fit.similarity)
    matches = landmarks(first, second.in_frame_of(first, to_second))
    off = np.abs(matches.second - matches.first)
    agrees = off < _AGREE_WITHIN * matches.pixel
    agreeing, matched = int(agrees.sum()), len(off)
    refusal = None
    if agreeing < LEAST_AGREEING or agreeing < LEAST_SHARE * matched:
        refusal = AlignmentRefusal.UNSURE if agreeing > LEAST_AGREEING // 2 else AlignmentRefusal.NOTHING_SHARED
    residual = float(np.sqrt((off[agrees] ** 2).mean())) if agreeing else 0.0
    return Alignment(to_second, agreeing, matched, residual, refusal, scale_error=_scale_error(matches, agrees))


def _fit(matches: Landmarks) -> Fit | None:
    if len(matches.first) < _LEAST_FITTED:
        return None
    return fit_similarity(matches.first, matches.second, least_spread=_ACCURACY * matches.pixel)


def _scale_error(matches: Landmarks, agrees: npt.NDArray[np.bool_]) -> float | None:
    agreeing = Landmarks(matches.first[agrees], matches.second[agrees], matches.pixel, matches.tried)
    fit = _fit(agreeing)
    return None if fit is None else _SHARED * fit.scale_error


def _by_skin(
    first: Photograph, second: Photograph, whole: Alignment, outlines: tuple[Outline | None, Outline | None]
) -> Alignment | None:
    """Return the alignment of the skin around the lesion alone, near that of the whole; None if it is refused."""
    own, other = outlines
    if own is None or other is None:
        return None
    lesions = (own, outline_of(whole.to_second.inverse()(points_of(other))))
    to_second = whole.to_second
    for side in (MIDDLE, FINE):
        bare = _without(first.level(side), lesions)
        to_second = refined(bare, second, to_second)
    alignment = _checked(bare, second, to_second)
    change = alignment.to_second.scale / whole.to_second.scale
    is_near = 1 / _MOST_GROWTH < change < _MOST_GROWTH
    return alignment if alignment.refusal is None and alignment.scale_error is not None and is_near else None


def _without(level: Level, outlines: tuple[Outline, ...]) -> Level:
    """Return a level in which lesions, and what is close to them, are not seen."""
    seen = level.seen.copy()
    for outline in outlines:
        centre = outline.mean(axis=0)
        wider = centre + (outline - centre) * _AROUND
        inside = filled(wider, level.side).astype(np.float32)
        left, top = int(level.origin.real), int(level.origin.imag)
        seen[top : top + level.side, left : left + level.side] *= 1 - inside
    return Level(values=level.values * seen, seen=seen, side=level.side)
