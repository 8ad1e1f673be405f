"""The classical baseline: a threshold on one colour channel (Otsu, IEEE Trans SMC 9:62, 1979), after a blur."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

CHANNELS = ("red", "green", "blue", "luma")
_BLUR = 3.0


def darkness(pixels: npt.NDArray[np.uint8], channel: str) -> npt.NDArray[np.float32]:
    """Return the darkness of each pixel in a channel, float32 (S, S) in [0, 255], for uint8 (S, S, 3).

    The blur removes hairs; black corners are set to the median, since they are not part of the lesion.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    plane = image.convert("L") if channel == "luma" else image.split()[CHANNELS.index(channel)]
    values = np.asarray(plane.filter(ImageFilter.GaussianBlur(_BLUR)), dtype=np.float32)
    is_corner = pixels.max(axis=2) < 30
    side = len(values)
    across = np.abs(np.arange(side) - (side - 1) / 2)
    is_corner &= np.hypot(across[:, None], across[None]) > side / 2
    return 255.0 - np.where(is_corner, np.median(values), values).astype(np.float32)


def otsu_threshold(values: npt.NDArray[np.float32]) -> float:
    """Return the threshold with the lowest variance within both classes."""
    counts = np.bincount(np.clip(values, 0, 255).astype(np.intp).ravel(), minlength=256).astype(np.float64)
    grey = np.arange(256)
    below = np.cumsum(counts)
    above = counts.sum() - below
    sum_below = np.cumsum(counts * grey)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sum_below / below - (sum_below[-1] - sum_below) / above
        between = np.where((below > 0) & (above > 0), below * above * gap**2, 0.0)
    return float(between.argmax()) + 1.0
