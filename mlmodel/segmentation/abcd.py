"""Asymmetry, border, colours and diameter of a lesion, measured inside its outline.

The four letters are those of the ABCD rule of dermatoscopy (Stolz et al., 1994; Nachbar et al., J Am Acad Dermatol
30:551, 1994), its D (structures) replaced by the diameter of the clinical ABCD rule (Friedman et al., CA Cancer J Clin
35:130, 1985). They are measures, not points: nothing is summed into a score and the network does not use them.

All lengths are in units of the centre square's side, so that measures do not depend on the camera's resolution. Only
the diameter depends on the camera's distance.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlmodel.pictures.picture import SQUARE_SIDE
from mlmodel.segmentation import outlines
from mlmodel.segmentation.dermoscopic_colours import (
    Colour,
    Lab,
    adapted,
    colour_shares,
    lab_of_linear,
    linear_of,
    median_light,
)
from mlmodel.segmentation.outlines import Outline
from mlmodel.segmentation.segmenter import filled

# Everything is measured at the resolution of the training photographs, regardless of the camera's.
MEASURED_SIDE = SQUARE_SIDE
# Points along the outline; finer detail comes from the pixel grid.
_BORDER_POINTS = 180
# Pairs of axes are tried every 5°, then around the best pair every degree.
_COARSE = np.arange(0.0, 90.0, 5.0)
_FINE = np.arange(-4.0, 5.0, 1.0)
_AXIS_POINTS = 40
# Colours at mirrored positions are compared as means over blocks of this many pixels squared.
_COARSE_PIXELS = 4
# Colours are counted on at least this many evenly chosen pixels, for an accuracy of half a percent.
_COLOUR_SAMPLES = 5000
# The skin is sampled in a ring around the lesion, from 2 to 12 % of the square away from it.
_RING_FROM, _RING_TO = MEASURED_SIDE // 50, MEASURED_SIDE // 8
_LEAST_SKIN_PIXELS = 400
# Hair: a thin dark line, at least this many grey levels darker than both sides and this many pixels long.
_HAIR_HALF_WIDTH, _HAIR_DEPTH, _HAIR_LENGTH = 4, 22, 45
# Pixels darker than this in every channel are the edge of the instrument.
_BLACK_BELOW = 30


@dataclass(frozen=True)
class Asymmetry:
    """The asymmetry of a lesion about two perpendicular axes through its centre of mass.

    As in the ABCD rule, the axes are those about which it is most symmetric. As in Stoecker et al. (Comput Med Imaging
    Graph 16:191, 1992), an axis' asymmetry is the share of the lesion outside its mirror image.

    Attributes:
        shape: mean over the two axes, in [0, 1]; 0 for circles, ellipses and rectangles.
        axes: the value of each axis, the more symmetric one first.
        colour: mean colour difference between mirrored positions, CIE 1976 ΔE; 0 for a uniform colour.
    """

    shape: float
    axes: tuple[float, float]
    colour: float


@dataclass(frozen=True)
class Border:
    """The irregularity of an outline.

    Attributes:
        compactness: perimeter² / (4 π area), ≥ 1; 1 for a circle, more for elongated or ragged outlines (the
            irregularity index of Golston et al., Comput Med Imaging Graph 16:199, 1992).
        solidity: area / area of the convex hull, in (0, 1]; 1 without indentations, even if elongated.
    """

    compactness: float
    solidity: float


@dataclass(frozen=True)
class Abcd:
    """The measures of one lesion.

    Attributes:
        asymmetry, border: None for a lesion that is cut off by the frame.
        colours: the share of each of the six colours in the lesion, without hairs.
        hair: the share of the lesion covered by hairs, in [0, 1].
        diameter: the longest diameter, in sides of the centre square; of the visible part, if it is cut off.
    """

    asymmetry: Asymmetry | None
    border: Border | None
    colours: dict[Colour, float]
    hair: float
    diameter: float


def measure(square: npt.NDArray[np.uint8], outline: Outline, *, is_cut: bool) -> Abcd:
    """Return the measures of the lesion within ``outline``.

    Args:
        square: uint8 (224, 224, 3), sRGB, the photograph's ``Picture.square``.
        outline: float64 (N, 2), in [0, 1] across it, clockwise on the screen.
        is_cut: whether the lesion continues beyond the square.

    Raises:
        ValueError: the outline encloses no area.
    """
    if outlines.signed_area(outline) <= 0.0:
        raise ValueError("the outline encloses no area, or does not run clockwise")
    lesion = filled(outline, MEASURED_SIDE)
    hairs = _hairs(square)
    linear = linear_of(square)
    skin = _skin_around(square, lesion, hairs)
    coarse = _averaged(linear)
    bare = lesion & ~hairs
    pixels = np.flatnonzero(bare if bare.any() else lesion)
    sampled = linear.reshape(-1, 3)[pixels[:: max(1, len(pixels) // _COLOUR_SAMPLES)]]
    if skin is not None:
        coarse, sampled, skin = (adapted(each, skin) for each in (coarse, sampled, skin))
    return Abcd(
        asymmetry=None if is_cut else asymmetry(outline, lab_of_linear(coarse)),
        border=None if is_cut else border(outline),
        colours=colour_shares(lab_of_linear(sampled), skin=None if skin is None else lab_of_linear(skin)),
        hair=float((lesion & hairs).sum() / max(lesion.sum(), 1)),
        diameter=outlines.longest_diameter(outline),
    )


def border(outline: Outline) -> Border:
    """Return the irregularity of ``outline``."""
    even = outlines.evenly_spaced(outline, _BORDER_POINTS)
    area = abs(outlines.signed_area(even))
    hull = abs(outlines.signed_area(outlines.convex_hull(even)))
    return Border(
        compactness=max(1.0, outlines.perimeter(even) ** 2 / (4 * np.pi * area)), solidity=min(1.0, area / hull)
    )


def asymmetry(outline: Outline, lab: Lab) -> Asymmetry:
    """Return the asymmetry of the region in shape and colour.

    Args:
        outline: float64 (N, 2) in [0, 1].
        lab: float32 (S, S, 3), CIELAB of the square around the outline, preferably without fine structure.
    """
    halves = _Halves(outline, lab)
    coarse = halves.about(_COARSE)
    best = halves.about(coarse.best().degrees[0] + _FINE).best()
    (first, second), colour = sorted(best.shapes[:, 0].tolist()), float(best.colours[:, 0].mean())
    return Asymmetry(shape=(first + second) / 2, axes=(first, second), colour=colour)


@dataclass(frozen=True)
class _Pairs:
    """K pairs of perpendicular axes: directions of the first ones, (K,), and asymmetries about both, (2, K)."""

    degrees: npt.NDArray[np.float64]
    shapes: npt.NDArray[np.float64]
    colours: npt.NDArray[np.float64]

    def best(self) -> "_Pairs":
        """Return the most symmetric pair, by shape and, for ties such as in a circle, by colour."""
        chosen = int((self.shapes.sum(axis=0) + self.colours.sum(axis=0) / 100).argmin())
        only = slice(chosen, chosen + 1)
        return _Pairs(self.degrees[only], self.shapes[:, only], self.colours[:, only])


class _Halves:
    """A region compared with its mirror images."""

    def __init__(self, outline: Outline, lab: Lab) -> None:
        self._centre = outlines.centroid(outline)
        self._inside = filled(outline, 2 * MEASURED_SIDE)
        points = _points_within(outline, self._inside)
        self._from_centre = points - self._centre
        # L*, a* and b* are separate, since NumPy is slow along short last axes.
        self._lab = np.ascontiguousarray(lab.reshape(-1, 3).T)
        self._side = len(lab)
        self._own = self._lab.take(_at(points[:, 0], points[:, 1], self._side), axis=1)

    def about(self, degrees: npt.NDArray[np.float64]) -> _Pairs:
        x, y = self._mirrored(degrees)  # (2, K, P) each
        covered = self._inside.ravel()[_at(x, y, len(self._inside))]
        covered &= (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
        counts = np.count_nonzero(covered, axis=-1)
        at = _at(x, y, self._side)
        differences = (own - each[at] for own, each in zip(self._own, self._lab, strict=True))
        distances = np.sqrt(sum(difference * difference for difference in differences)) * covered
        return _Pairs(
            degrees=degrees,
            shapes=1 - counts / len(self._from_centre),
            colours=distances.sum(axis=-1) / np.maximum(counts, 1),
        )

    def _mirrored(self, degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the mirror images of P points about K axes and the perpendicular axes, (2, 2, K, P).

        The second mirror image is the first one rotated by 180°.
        """
        twice = np.radians(2 * degrees)
        x, y = self._from_centre.T
        cosine, sine = np.cos(twice)[:, None], np.sin(twice)[:, None]
        turned = np.stack([cosine * x + sine * y, sine * x - cosine * y])
        return self._centre[:, None, None, None] + np.stack([turned, -turned], axis=1)


def _points_within(outline: Outline, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return a grid of points in the region, float64 (P, 2), 40 along its larger extent."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    step = float((high - low).max()) / _AXIS_POINTS
    axes = [np.arange(low[k] + step / 2, high[k], step) for k in (0, 1)]
    x, y = (each.ravel() for each in np.meshgrid(*axes))
    points = np.stack([x, y], axis=-1)[inside.ravel()[_at(x, y, len(inside))]]
    return points if len(points) else outlines.centroid(outline)[None]


def _at(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.intp]:
    """Return the row-major pixel indices, in a square of ``side`` pixels, of positions in [0, 1]²."""
    column, row = (np.clip((each * side).astype(np.intp), 0, side - 1) for each in (x, y))
    return row * side + column


def _averaged(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return linear light averaged over 4 × 4 pixels.

    Fine structure is never symmetric, so colours are compared in blocks of a few pixels.
    """
    side = MEASURED_SIDE // _COARSE_PIXELS
    rows = linear.reshape(side, _COARSE_PIXELS, MEASURED_SIDE, 3).sum(axis=1)
    blocks = rows.reshape(side, side, _COARSE_PIXELS, 3).sum(axis=2)
    means: npt.NDArray[np.float32] = blocks / _COARSE_PIXELS**2
    return means


def _skin_around(
    square: npt.NDArray[np.uint8], lesion: npt.NDArray[np.bool_], hairs: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32] | None:
    """Return the linear light of the skin in a ring around the lesion, float32 (3,), or None if it is too small."""
    near, far = (_widened(lesion, by) for by in (_RING_FROM, _RING_TO))
    red, green, blue = np.moveaxis(square, 2, 0)
    lit = np.maximum(np.maximum(red, green), blue) >= _BLACK_BELOW
    ring = np.flatnonzero(far & ~near & ~hairs & lit)
    if len(ring) < _LEAST_SKIN_PIXELS:
        return None
    return median_light(square.reshape(-1, 3)[ring])


def _widened(mask: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """Return a mask dilated by ``by`` pixels, with a square structuring element."""
    return _highest(mask.astype(np.uint8), by).astype(bool)


def _highest(values: npt.NDArray[np.uint8], within: int) -> npt.NDArray[np.uint8]:
    """Return the maximum over a square of 2 × ``within`` + 1 pixels, by doubling, for speed."""
    for _along in ("columns", "rows"):
        maxima = np.concatenate([*[values[:1]] * within, values, *[values[-1:]] * within])
        width, full_width = 1, 2 * within + 1
        while width < full_width:
            step = min(width, full_width - width)
            maxima = np.maximum(maxima[:-step], maxima[step:])
            width += step
        values = maxima.T  # transposed twice in total
    return values


def _hairs(square: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return a mask of hairs, bool (S, S): long dark lines that a closing fills (Lee et al., DullRazor, 1997)."""
    grey = np.asarray(Image.fromarray(square).convert("L"))
    closed = 255 - _highest(255 - _highest(grey, _HAIR_HALF_WIDTH), _HAIR_HALF_WIDTH)
    thin = closed.astype(np.int16) - grey > _HAIR_DEPTH
    if thin.mean() < 0.001:
        return np.zeros_like(thin)
    hairs = np.zeros_like(thin)
    for part in outlines.outlines_of(thin.astype(np.float32), level=0.5, at_least=2 * _HAIR_LENGTH):
        extent = float(np.hypot(*(part.max(axis=0) - part.min(axis=0)))) * MEASURED_SIDE
        # A line's squared length is many times its area; a blob's is not.
        if extent >= _HAIR_LENGTH and outlines.signed_area(part) * MEASURED_SIDE**2 < 0.15 * extent**2:
            hairs |= filled(part, MEASURED_SIDE)
    return hairs & thin
