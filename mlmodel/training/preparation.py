"""Optional preprocessing of photographs; see ``research/tried.md`` for the effect of each.

Preprocessing is part of a recipe: a network trained with it would also need it for analyses.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter
from scipy import ndimage

Pixels = npt.NDArray[np.uint8]

_SHADES_NORM = 6
_HAIR_LENGTH, _HAIR_CONTRAST = 9, 10


def prepared(pixels: Pixels, kind: str) -> Pixels:
    """Return a preprocessed photograph, uint8 (H, W, 3).

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
    """Return a copy without the illuminant's colour, estimated by shades of grey (Finlayson & Trezzi, CIC 2004)."""
    values = pixels.astype(np.float32)
    light = np.power(np.power(values, _SHADES_NORM).mean(axis=(0, 1)), 1 / _SHADES_NORM)
    gains = light.mean() / np.maximum(light, 1.0)
    return np.clip(values * gains, 0, 255).astype(np.uint8)


def without_hair(pixels: Pixels) -> Pixels:
    """Return a copy with dark hair replaced by its surroundings, as in DullRazor (Lee et al., Comput. Biol. Med.
    1997).

    A morphological closing along four directions fills thin dark lines. Pixels that it lightens strongly are hair and
    get the smoothed value of the closing.
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
