"""What some would do to a photograph before any network sees it; ``research/tried.md`` has what each is worth.

A preparation is part of a recipe, and of the network that comes of it: what training does, serving would have to do.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy import ndimage

Pixels = npt.NDArray[np.uint8]

_SHADES_NORM = 6
_HAIR_LENGTH, _HAIR_CONTRAST = 9, 10


def prepared(pixels: Pixels, kind: str) -> Pixels:
    """Return uint8 (H, W, 3) prepared.

    Args:
        pixels: uint8 (H, W, 3), sRGB.
        kind: ``none``, ``shades-of-grey``, ``median`` or ``hair-removal``.
    """
    if kind == "shades-of-grey":
        return shades_of_grey(pixels)
    if kind == "median":
        return np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(3)))
    if kind == "hair-removal":
        return without_hair(pixels)
    return pixels


def shades_of_grey(pixels: Pixels) -> Pixels:
    """Take off the colour of the light, estimated as the Minkowski mean of degree 6 (Finlayson & Trezzi, CIC 2004)."""
    values = pixels.astype(np.float32)
    light = np.power(np.power(values, _SHADES_NORM).mean(axis=(0, 1)), 1 / _SHADES_NORM)
    gains = light.mean() / np.maximum(light, 1.0)
    return np.clip(values * gains, 0, 255).astype(np.uint8)


def without_hair(pixels: Pixels) -> Pixels:
    """Paint dark hair over with what surrounds it, after DullRazor (Lee et al., Comput. Biol. Med. 1997).

    A closing along four directions fills what is dark and thin; where it lightened a pixel by much, the pixel is hair
    and takes the closing's value, smoothed.
    """
    grey = pixels.astype(np.float32).mean(axis=2)
    lightened = np.max([ndimage.grey_closing(grey, footprint=line) - grey for line in _lines()], axis=0)
    is_hair = ndimage.binary_dilation(lightened > _HAIR_CONTRAST, iterations=1)
    if not is_hair.any():
        return pixels
    around = np.stack(
        [ndimage.median_filter(ndimage.grey_closing(pixels[..., band], size=5), size=5) for band in range(3)], axis=2
    )
    return np.where(is_hair[..., None], around, pixels)


def _lines() -> list[npt.NDArray[np.bool_]]:
    diagonal = np.eye(_HAIR_LENGTH, dtype=bool)
    return [np.ones((1, _HAIR_LENGTH), bool), np.ones((_HAIR_LENGTH, 1), bool), diagonal, diagonal[::-1]]
