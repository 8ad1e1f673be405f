"""Photographs altered in known ways, as a second visit would: another position, another light, a lesion that grew."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mlmodel.alignment.similarity import Points, Similarity
from mlmodel.segmentation.outlines import Outline, centroid

Pixels = npt.NDArray[np.uint8]
# Growth is spread over the skin around the lesion, which is pushed outwards up to this many of its radii.
_PUSHED_TO = 1.6


@dataclass(frozen=True)
class Altered:
    """A second photograph and the truth about it: where points of the first one's skin are now, in sides."""

    pixels: Pixels
    to_second: Similarity
    growth: float


def altered(pixels: Pixels, outline: Outline, *, growth: float, random: np.random.Generator) -> Altered:
    """Return a square photograph, moved and in other light, its lesion’s area larger by ``growth`` (0.2: a fifth)."""
    side = pixels.shape[0]
    scale, turn = float(np.exp(random.uniform(-0.3, 0.3))), float(np.radians(random.uniform(-40, 40)))
    factor = complex(scale * np.exp(1j * turn))
    to = complex(random.uniform(-0.06, 0.06), random.uniform(-0.06, 0.06))
    middle = 0.5 + 0.5j
    to_second = Similarity(factor, middle - factor * middle + to)
    x, y = np.meshgrid((np.arange(side) + 0.5) / side, (np.arange(side) + 0.5) / side)
    before = _shrunk(to_second.inverse()((x + 1j * y).ravel()), outline, growth=growth)
    moved = _bilinear(pixels, before).reshape(side, side, 3)
    return Altered(_lit(moved, random), to_second, growth)


def _shrunk(points: Points, outline: Outline, *, growth: float) -> Points:
    """Return where points of the grown lesion were before."""
    if not growth:
        return points
    centre = complex(*centroid(outline))
    spokes = outline[:, 0] + 1j * outline[:, 1] - centre
    order = np.argsort(np.angle(spokes))
    angles, radii = np.angle(spokes)[order], np.abs(spokes)[order]
    from_centre = points - centre
    radius = np.interp(np.angle(from_centre), angles, radii, period=2 * np.pi)
    reach, stretch = np.abs(from_centre) / np.maximum(radius, 1e-6), float(np.sqrt(1 + growth))
    # Inside, everything was nearer to the centre by the same factor; the skin beyond makes room.
    was = np.interp(
        reach, [0.0, stretch, max(_PUSHED_TO, stretch + 0.4), 100.0], [0.0, 1.0, max(_PUSHED_TO, stretch + 0.4), 100.0]
    )
    result: Points = centre + from_centre * np.where(reach > 0, was / np.maximum(reach, 1e-9), 1.0)
    return result


def _bilinear(pixels: Pixels, points: Points) -> npt.NDArray[np.float64]:
    """Return the colours at points, (N,) in sides, float64 (N, 3); the frame's edge is mirrored beyond it."""
    side = pixels.shape[0]
    padded = np.pad(pixels, ((side, side), (side, side), (0, 0)), mode="reflect").astype(np.float64)
    x = np.clip(points.real * side - 0.5 + side, 0, 3 * side - 2)
    y = np.clip(points.imag * side - 0.5 + side, 0, 3 * side - 2)
    column, row = x.astype(int), y.astype(int)
    across, down = (x - column)[:, None], (y - row)[:, None]
    top = padded[row, column] * (1 - across) + padded[row, column + 1] * across
    bottom = padded[row + 1, column] * (1 - across) + padded[row + 1, column + 1] * across
    colours: npt.NDArray[np.float64] = top * (1 - down) + bottom * down
    return colours


def _lit(colours: npt.NDArray[np.float64], random: np.random.Generator) -> Pixels:
    """Return a photograph in another light: tint, contrast, a gradient across it, softness, noise, compression."""
    side = colours.shape[0]
    values = 255 * (colours / 255) ** random.uniform(0.8, 1.25)
    values *= random.uniform(0.85, 1.1) * random.uniform(0.95, 1.05, size=3)
    towards = np.linspace(-1, 1, side)
    shade = 1 + random.uniform(-0.12, 0.12) * towards[:, None] + random.uniform(-0.12, 0.12) * towards[None]
    values = values * shade[..., None] + random.normal(0, 2.0, colours.shape)
    image = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(random.uniform(0, 0.8)))
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=int(random.integers(75, 95)))
    return np.asarray(Image.open(buffer).convert("RGB"))
