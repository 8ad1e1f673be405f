"""Photographs made comparable: the same frame and resolution, with their light evened out.

Cameras, lamps and polarisation change brightness and contrast from place to place. Each pixel is therefore taken
relative to the mean and the contrast of its surroundings (local contrast normalisation; Jarrett et al., ICCV 2009).
What remains are structures: network, dots, vessels, creases, hair.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlmodel.alignment.similarity import Points, Similarity

# Pixels along the short side. The first level is searched in full; the others refine what was found.
COARSE, MIDDLE, FINE = 40, 96, 224
# The surroundings of a pixel, in sides: at the first level the lesion as a whole must remain.
_SURROUNDINGS = {COARSE: 0.11, MIDDLE: 0.05, FINE: 0.03}
# No more of a photograph is needed than this, in pixels along the short side and in sides along the long one.
_MOST_PIXELS, _LONGEST = 640, 2.0
# Pixels at the frame darker than this are the edge of the instrument; lighter ones anywhere are reflections.
_DARK, _LIGHT = 26, 250
# A local contrast of this many grey levels counts half: below it is noise.
_NOISE = 2.5
_CLIP = 3.0

Grey = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Level:
    """A photograph, or part of one, in some frame and resolution.

    Attributes:
        values: float32 (H, W), evened out, in [−3, 3]; 0 where there is nothing to see.
        seen: float32 (H, W), 1 where the photograph shows skin or lesion, 0 elsewhere.
        side: the pixels along one side of the frame's centre square.
    """

    values: Grey
    seen: Grey
    side: int

    @property
    def origin(self) -> complex:
        """The centre square's corner, in pixels."""
        height, width = self.values.shape
        return complex((width - self.side) / 2, (height - self.side) / 2)

    def points(self, pixels: Points) -> Points:
        """Return positions in pixels, 0.5 at the first pixel's centre, as points in sides."""
        points: Points = (pixels - self.origin) / self.side
        return points

    @cached_property
    def grid(self) -> Points:
        """The point of every pixel's centre, (H, W)."""
        height, width = self.values.shape
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        return self.points(x + 1j * y)

    def moved(self, similarity: Similarity) -> "Level":
        """Return what lies at ``similarity(z)`` at every point z of the frame: bilinear, 0 outside."""
        matrix = _matrix(similarity, self, self)
        values, seen = (_transformed(each, matrix, self.values.shape) for each in (self.values, self.seen))
        return Level(values=values, seen=(seen > 0.5).astype(np.float32), side=self.side)


class Photograph:
    """A photograph to be aligned, uint8 (H, W, 3), sRGB, upright."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        image = Image.fromarray(_without_ends(pixels)).convert("L")
        scale = _MOST_PIXELS / min(image.size)
        if scale < 1:
            size = (round(image.width * scale), round(image.height * scale))
            image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
        grey = np.asarray(image)
        lit = ((grey < _LIGHT) & ~_instrument(grey)).astype(np.uint8) * 255
        self._image, self._lit = image, Image.fromarray(lit)

    def level(self, side: int, *, frame: int | None = None) -> Level:
        """Return the photograph at ``side`` pixels along the short side, evened out as in a frame of ``frame``."""
        grey, lit = self._resized(side)
        return _evened(grey, lit, side=side, radius=_radius(frame or side))

    def in_frame_of(self, first: Level, to_second: Similarity) -> Level:
        """Return what this, the second photograph, shows in the frame of the first.

        It is reduced before it is moved, so that nothing is aliased, and evened out afterwards, so that surroundings
        are of the same size in both.
        """
        side = max(16, round(first.side / to_second.scale))
        grey, lit = self._resized(side)
        bare = Level(values=grey, seen=lit, side=side)
        matrix = _matrix(to_second, first, bare)
        grey, lit = (_transformed(each, matrix, first.values.shape) for each in (grey, lit))
        return _evened(grey, lit, side=first.side, radius=_radius(first.side))

    def _resized(self, side: int) -> tuple[Grey, Grey]:
        scale = side / min(self._image.size)
        size = (max(side, round(self._image.width * scale)), max(side, round(self._image.height * scale)))
        grey, lit = (
            np.asarray(each.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)).astype(np.float32)
            for each in (self._image, self._lit)
        )
        return grey, lit / np.float32(255)


def box_mean(values: Grey, radius: int) -> Grey:
    """Return means over squares of 2 × ``radius`` + 1 pixels, with 0 beyond the edge, (H, W) as ``values``."""
    width = 2 * radius + 1
    for _axis in (0, 1):
        sums = np.cumsum(np.pad(values, ((radius + 1, radius), (0, 0))), axis=0, dtype=np.float64)
        values = ((sums[width:] - sums[:-width]) / width).T.astype(np.float32)
    return values


def _radius(side: int) -> int:
    share = next(share for level, share in sorted(_SURROUNDINGS.items()) if side <= level)
    return max(2, round(side * share))


def _evened(grey: Grey, lit: Grey, *, side: int, radius: int) -> Level:
    seen = (lit > 0.9).astype(np.float32)
    seen = (box_mean(seen, max(1, side // 100)) > 1 - 1e-3).astype(np.float32)
    rest = ((grey - _smooth(grey * seen, seen, radius)) * seen).astype(np.float32)
    contrast = np.sqrt(_smooth(rest * rest, seen, radius))
    values = np.clip(rest / (contrast + _NOISE), -_CLIP, _CLIP) * seen
    return Level(values=values.astype(np.float32), seen=seen, side=side)


def _smooth(values: Grey, seen: Grey, radius: int) -> Grey:
    """Return ``values`` averaged twice over squares, nearly a Gaussian, over what is seen."""
    total, weight = (box_mean(box_mean(each, radius), radius) for each in (values, seen))
    return (total / np.maximum(weight, 1e-3)).astype(np.float32)


def _without_ends(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    longest = int(min(height, width) * _LONGEST)
    top, left = max(0, (height - longest) // 2), max(0, (width - longest) // 2)
    return pixels[top : top + longest, left : left + longest]


def _instrument(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return the dark pixels that are reached from the frame in straight lines: a lesion may be black itself."""
    dark = grey <= _DARK
    reached = np.zeros_like(dark)
    for axis in (0, 1):
        for turned in (dark, np.flip(dark, axis)):
            run = np.logical_and.accumulate(turned, axis=axis)
            reached |= run if turned is dark else np.flip(run, axis)
    return reached


def _matrix(to_second: Similarity, first: Level, second: Level) -> tuple[float, ...]:
    """Return Pillow's matrix from pixels of the first to pixels of the second."""
    factor = to_second.factor * second.side / first.side
    shift = complex(to_second(first.points(np.zeros(1, dtype=complex)))[0]) * second.side + second.origin
    return (factor.real, -factor.imag, shift.real, factor.imag, factor.real, shift.imag)


def _transformed(values: Grey, matrix: tuple[float, ...], shape: tuple[int, ...]) -> Grey:
    image = Image.fromarray(values)
    size = (shape[1], shape[0])
    return np.asarray(image.transform(size, Image.Transform.AFFINE, matrix, resample=Image.Resampling.BILINEAR))
