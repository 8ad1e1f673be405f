"""Asymmetry, border, colours and diameter of a lesion, measured inside its outline.

The four letters are those of the ABCD rule of dermatoscopy (Stolz et al., 1994; Nachbar et al., J Am Acad Dermatol
30:551, 1994), its D (structures) replaced by the diameter of the clinical ABCD rule (Friedman et al., CA Cancer J Clin
35:130, 1985). They are measures, not points: nothing here is summed into a score and nothing reaches the network.

All lengths are in units of the centre square's side, so that measures do not depend on the camera's resolution, and
none but the diameter depends on how near the camera was.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlmodel.pictures.picture import SQUARE_SIDE
from mlmodel.segmentation import outlines
from mlmodel.segmentation.dermoscopic_colours import Colour, Lab, adapted, colour_shares, lab_of_linear, linear_of
from mlmodel.segmentation.outlines import Outline
from mlmodel.segmentation.segmenter import filled

# Everything is measured at the resolution of the training pictures, whatever the camera's.
MEASURED_SIDE = SQUARE_SIDE
# Points along the outline: detail finer than a 180th of it is the grid's and not the lesion's.
_BORDER_POINTS = 180
# Pairs of axes are tried every 5°, then around the best pair every degree.
_COARSE = np.arange(0.0, 90.0, 5.0)
_FINE = np.arange(-4.0, 5.0, 1.0)
_AXIS_POINTS = 40
# Mirrored places are compared as means over so many pixels squared.
_COARSE_PIXELS = 4
# Colours are counted on so many of the lesion's pixels at least, evenly chosen: shares are good to half a percent.
_COLOUR_SAMPLES = 5000
# The skin is sampled in a ring around the lesion, from 2 to 12 % of the square away from it.
_RING_FROM, _RING_TO = MEASURED_SIDE // 50, MEASURED_SIDE // 8
_LEAST_SKIN_PIXELS = 400
# Hair: a thin dark line, so many grey levels below what is on both sides of it, and so many pixels long.
_HAIR_HALF_WIDTH, _HAIR_DEPTH, _HAIR_LENGTH = 4, 22, 45
# What is darker than this in every channel is the edge of the instrument and no skin.
_BLACK_BELOW = 30


@dataclass(frozen=True)
class Asymmetry:
    """How far a lesion is from its own mirror image, about two axes at right angles through its centre of mass.

    The axes are those about which it is most symmetric, as the ABCD rule places them. With Stoecker et al. (Comput Med
    Imaging Graph 16:191, 1992), an axis' asymmetry is the share of the lesion that falls outside its mirror image.

    Attributes:
        shape: mean over the two axes, in [0, 1]; 0 for circles, ellipses and rectangles.
        axes: that of each axis, the more symmetric one first.
        colour: mean distance between mirrored positions inside, CIE 1976 ΔE; 0 for what is evenly coloured.
    """

    shape: float
    axes: tuple[float, float]
    colour: float


@dataclass(frozen=True)
class Border:
    """How irregular an outline is.

    Attributes:
        compactness: perimeter² / (4 π area), ≥ 1; 1 for a circle, more the longer or the more ragged (the irregularity
            index of Golston et al., Comput Med Imaging Graph 16:199, 1992).
        solidity: area / area of the convex hull, in (0, 1]; 1 without indentations, however long.
    """

    compactness: float
    solidity: float


@dataclass(frozen=True)
class Abcd:
    """The measures of one lesion.

    Attributes:
        asymmetry, border: None for a lesion that the frame cuts: what lies beyond is not known.
        colours: the share of the lesion that each of the six takes up, hairs left out.
        hair: the share of the lesion that hairs cover, in [0, 1].
        diameter: the longest distance across, in sides of the centre square; of what is visible, if it is cut.
    """

    asymmetry: Asymmetry | None
    border: Border | None
    colours: dict[Colour, float]
    hair: float
    diameter: float


def measure(square: npt.NDArray[np.uint8], outline: Outline, *, is_cut: bool) -> Abcd:
    """Measure the lesion within ``outline``.

    Args:
        square: uint8 (224, 224, 3), sRGB, the photograph's ``Picture.square``.
        outline: float64 (N, 2), in [0, 1] across it, clockwise on the screen.
        is_cut: whether the lesion goes on beyond the square.

    Raises:
        ValueError: the outline encloses nothing.
    """
    if outlines.signed_area(outline) <= 0.0:
        raise ValueError("the outline encloses nothing, or does not run clockwise")
    lesion = filled(outline, MEASURED_SIDE)
    hairs = _hairs(square)
    linear = linear_of(square)
    skin = _skin_around(square, linear, lesion, hairs)
    coarse = _averaged(linear)
    bare = lesion & ~hairs
    chosen = np.flatnonzero(bare if bare.any() else lesion)
    seen = linear.reshape(-1, 3)[chosen[:: max(1, len(chosen) // _COLOUR_SAMPLES)]]
    if skin is not None:
        coarse, seen, skin = (adapted(each, skin) for each in (coarse, seen, skin))
    return Abcd(
        asymmetry=None if is_cut else asymmetry(outline, lab_of_linear(coarse)),
        border=None if is_cut else border(outline),
        colours=colour_shares(lab_of_linear(seen), skin=None if skin is None else lab_of_linear(skin)),
        hair=float((lesion & hairs).sum() / max(lesion.sum(), 1)),
        diameter=outlines.longest_diameter(outline),
    )


def border(outline: Outline) -> Border:
    """Measure how irregular ``outline`` is."""
    even = outlines.evenly_spaced(outline, _BORDER_POINTS)
    area = abs(outlines.signed_area(even))
    hull = abs(outlines.signed_area(outlines.convex_hull(even)))
    return Border(
        compactness=max(1.0, outlines.perimeter(even) ** 2 / (4 * np.pi * area)), solidity=min(1.0, area / hull)
    )


def asymmetry(outline: Outline, lab: Lab) -> Asymmetry:
    """Measure how far the region is from its mirror image, in shape and in colour.

    Args:
        outline: float64 (N, 2) in [0, 1].
        lab: float32 (S, S, 3), CIELAB of the square that the outline lies in; fine structure is best averaged out.
    """
    halves = _Halves(outline, lab)
    coarse = halves.about(_COARSE)
    best = halves.about(coarse.best().degrees[0] + _FINE).best()
    (first, second), colour = sorted(best.shapes[:, 0].tolist()), float(best.colours[:, 0].mean())
    return Asymmetry(shape=(first + second) / 2, axes=(first, second), colour=colour)


@dataclass(frozen=True)
class _Pairs:
    """K pairs of axes at right angles: directions of the first ones, (K,), and asymmetries about both, (2, K)."""

    degrees: npt.NDArray[np.float64]
    shapes: npt.NDArray[np.float64]
    colours: npt.NDArray[np.float64]

    def best(self) -> "_Pairs":
        """Return the most symmetric pair. Shape decides; colour does where shape does not, as in a circle."""
        chosen = int((self.shapes.sum(axis=0) + self.colours.sum(axis=0) / 100).argmin())
        only = slice(chosen, chosen + 1)
        return _Pairs(self.degrees[only], self.shapes[:, only], self.colours[:, only])


class _Halves:
    """A region laid over its mirror images."""

    def __init__(self, outline: Outline, lab: Lab) -> None:
        self._centre = outlines.centroid(outline)
        self._inside = filled(outline, 2 * MEASURED_SIDE)
        points = _points_within(outline, self._inside)
        self._from_centre = points - self._centre
        # L*, a* and b* apart, since numpy is slow along short last axes.
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
        """Return where the P points are mirrored to about K axes and those at right angles to them, (2, 2, K, P).

        The second mirror image is the first one turned by 180°.
        """
        twice = np.radians(2 * degrees)
        x, y = self._from_centre.T
        cosine, sine = np.cos(twice)[:, None], np.sin(twice)[:, None]
        turned = np.stack([cosine * x + sine * y, sine * x - cosine * y])
        return self._centre[:, None, None, None] + np.stack([turned, -turned], axis=1)


def _points_within(outline: Outline, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return a grid of points in the region, float64 (P, 2), 40 across its larger extent."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    step = float((high - low).max()) / _AXIS_POINTS
    axes = [np.arange(low[k] + step / 2, high[k], step) for k in (0, 1)]
    x, y = (each.ravel() for each in np.meshgrid(*axes))
    found = np.stack([x, y], axis=-1)[inside.ravel()[_at(x, y, len(inside))]]
    return found if len(found) else outlines.centroid(outline)[None]


def _at(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.intp]:
    """Return which pixels of a square of ``side`` pixels, row by row, hold places of [0, 1]²."""
    column, row = (np.clip((each * side).astype(np.intp), 0, side - 1) for each in (x, y))
    return row * side + column


def _averaged(linear: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return linear light averaged over 4 × 4 pixels.

    Fine structure has no mirror image, and need not have one: colours are compared a few pixels wide.
    """
    side = MEASURED_SIDE // _COARSE_PIXELS
    rows = linear.reshape(side, _COARSE_PIXELS, MEASURED_SIDE, 3).sum(axis=1)
    blocks = rows.reshape(side, side, _COARSE_PIXELS, 3).sum(axis=2)
    found: npt.NDArray[np.float32] = blocks / _COARSE_PIXELS**2
    return found


def _skin_around(
    square: npt.NDArray[np.uint8],
    linear: npt.NDArray[np.float32],
    lesion: npt.NDArray[np.bool_],
    hairs: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float32] | None:
    """Return the linear light of the skin in a ring around the lesion, float32 (3,); None if there is too little."""
    near, far = (_widened(lesion, by) for by in (_RING_FROM, _RING_TO))
    red, green, blue = np.moveaxis(square, 2, 0)
    lit = np.maximum(np.maximum(red, green), blue) >= _BLACK_BELOW
    ring = np.flatnonzero(far & ~near & ~hairs & lit)
    if len(ring) < _LEAST_SKIN_PIXELS:
        return None
    return np.median(linear.reshape(-1, 3)[ring], axis=0).astype(np.float32)


def _widened(mask: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """Return a mask grown by ``by`` pixels all around, with the corners of a square."""
    return _highest(mask.astype(np.uint8), by).astype(bool)


def _highest(values: npt.NDArray[np.uint8], within: int) -> npt.NDArray[np.uint8]:
    """Return the maximum over a square of 2 × ``within`` + 1 pixels, by doubling: far faster than a rank filter."""
    for _along in ("columns", "rows"):
        found = np.concatenate([*[values[:1]] * within, values, *[values[-1:]] * within])
        width, wanted = 1, 2 * within + 1
        while width < wanted:
            step = min(width, wanted - width)
            found = np.maximum(found[:-step], found[step:])
            width += step
        values = found.T  # turned twice, it is as it was
    return values


def _hairs(square: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return where hairs run, bool (S, S): dark lines that a closing fills (Lee et al., DullRazor, 1997), if long."""
    grey = np.asarray(Image.fromarray(square).convert("L"))
    closed = 255 - _highest(255 - _highest(grey, _HAIR_HALF_WIDTH), _HAIR_HALF_WIDTH)
    thin = closed.astype(np.int16) - grey > _HAIR_DEPTH
    if thin.mean() < 0.001:
        return np.zeros_like(thin)
    found = np.zeros_like(thin)
    for part in outlines.outlines_of(thin.astype(np.float32), level=0.5, at_least=2 * _HAIR_LENGTH):
        extent = float(np.hypot(*(part.max(axis=0) - part.min(axis=0)))) * MEASURED_SIDE
        # A line encloses little of what it spans: length² is many times its area. A blob's is not.
        if extent >= _HAIR_LENGTH and outlines.signed_area(part) * MEASURED_SIDE**2 < 0.15 * extent**2:
            found |= filled(part, MEASURED_SIDE)
    return found & thin
