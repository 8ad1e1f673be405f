"""The six colours of dermatoscopy and their shares of a lesion.

The ABCD rule of dermatoscopy (Stolz et al., Eur J Dermatol 4:521, 1994; Nachbar et al., J Am Acad Dermatol 30:551,
1994) counts white, red, light brown, dark brown, blue-grey and black, and white only where the lesion is lighter than
the skin around it. It does not define the limits of the colours. Here a pixel gets the name of the nearest centroid of
the ISCC–NBS system of colour names (Kelly and Judd, NBS Special Publication 440, 1976) in CIELAB, and the names are
grouped into the six. Kasmi and Mokrani (IET Image Processing 10:448, 2016) use the nearest of six references in
CIELAB, but their references are too saturated for these photographs: pale brown becomes blue-grey.

Photographs differ in tint, so colours are first corrected such that the skin around the lesion has the tint of skin.
Pixels that then hardly differ from that skin count as skin and none of the six.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Lab = npt.NDArray[np.float32]


class Colour(StrEnum):
    WHITE = "white"
    RED = "red"
    LIGHT_BROWN = "light_brown"
    DARK_BROWN = "dark_brown"
    BLUE_GREY = "blue_grey"
    BLACK = "black"


COLOURS = tuple(Colour)
# Centroids of ISCC–NBS names, sRGB. Pink counts as red and grey as blue-grey, as in the rule; brown is dark below an
# L* of about 40, and black below 22, the minimum in photographs of skin.
_CENTROIDS: Mapping[Colour, str] = {
    Colour.WHITE: "F2F3F4 EAE3E1 F0EAD6 E9E9ED E8E3E5 B9B8B5 C1B6B3",
    Colour.RED: "BE0032 BC3F4A 841B2D 5C0923 AB4E52 722F37 905D5D E4717A C08081 A8516E 673147 78184A",
    Colour.LIGHT_BROWN: "A87C6D A67B5B 977F73 958070 C19A6B AE9B82 826644 996515 7E6D5A C2AC99 AE6938",
    Colour.DARK_BROWN: "80461B 593319 6F4E37 882D17 56070C 79443B 674C47 635147 654522 4B3621 5B504F",
    Colour.BLUE_GREY: "B4BCC0 81878B 51585E 536878 36454F 91A3B0 4C516D 848482 555555 8B8589 5D555B 554C69 796878",
    Colour.BLACK: "222222 28201C 282022 202428 242124 422518 3E1D1E 3E322C",
}
# A colour is present from this share of the lesion on; less may be a hair, a bubble or an error of the outline.
PRESENT_FROM = 0.05
# Pixels closer to the surrounding skin (CIE 1976, ΔE) are skin; 2.3 is just noticeable (Mahy et al., 1994).
_SKIN_WITHIN = 10.0
# The tint (a*, b*) of fair skin in colorimetry, to which the skin around every lesion is corrected.
SKIN_CHROMA = (10.0, 16.0)
_LARGEST_GAIN = 1.6

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_FROM_XYZ = np.linalg.inv(_TO_XYZ)
_WHITE_POINT = np.array([0.95047, 1.0, 1.08883])
_DELTA = 6 / 29


def linear_of(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return linear light, float32 (…, 3) in [0, 1], for sRGB uint8 (…, 3) (IEC 61966-2-1)."""
    return _LINEAR.take(pixels)


def median_light(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the median linear light of sRGB uint8 (N, 3), N ≥ 1, by channel, float32 (3,).

    Counting 256 values takes a third of the time of ``np.median``.
    """
    middle = [(len(pixels) - 1) // 2, len(pixels) // 2]
    below = (np.cumsum(np.bincount(channel, minlength=256)) for channel in pixels.T)
    values = np.stack([np.searchsorted(counts, middle, side="right") for counts in below])
    return _LINEAR[values].mean(axis=1)


def lab_of_linear(linear: npt.NDArray[np.float32]) -> Lab:
    """Return CIELAB under D65, float32 (…, 3), L* in [0, 100], of linear light (…, 3)."""
    ratio = linear @ (_TO_XYZ / _WHITE_POINT[:, None]).T.astype(np.float32)
    ratio = np.maximum(ratio, 0.0)
    f = np.where(ratio > _DELTA**3, np.cbrt(ratio), ratio / (3 * _DELTA**2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def lab_of(pixels: npt.NDArray[np.uint8]) -> Lab:
    """Return CIELAB under D65, float32 (…, 3), of sRGB uint8 (…, 3)."""
    return lab_of_linear(linear_of(pixels))


def adapted(linear: npt.NDArray[np.float32], skin: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return colours corrected such that the skin around the lesion has the tint of skin in daylight.

    Von Kries' rule in linear light: one gain per channel, such that ``skin`` keeps its lightness and gets the chroma
    ``SKIN_CHROMA``. Dark skin stays dark.

    Args:
        linear: float32 (…, 3), linear light.
        skin: float32 (3,), linear light of the skin.
    """
    lightness = float(lab_of_linear(skin)[0])
    target = _linear_of_lab(np.array([lightness, *SKIN_CHROMA]))
    gains = np.clip(target / np.maximum(skin, 1e-3), 1 / _LARGEST_GAIN, _LARGEST_GAIN)
    return np.clip(linear * gains, 0.0, 1.0).astype(np.float32)


def colour_shares(lesion: Lab, *, skin: Lab | None) -> dict[Colour, float]:
    """Return the share of each of the six colours in a lesion, in [0, 1], in total at most 1.

    Args:
        lesion: float32 (N, 3), the lesion's pixels; N ≥ 1.
        skin: float32 (3,), the skin around it; None if no skin is visible: white is then not counted, since it is
            relative to the skin.
    """
    distances = _distances(lesion)
    white = COLOURS.index(Colour.WHITE)
    if skin is None:
        distances[white] = np.inf
        is_skin = np.zeros(len(lesion), dtype=bool)
    else:
        distances[white, lesion[:, 0] <= skin[0]] = np.inf
        is_skin = np.linalg.norm(lesion - skin, axis=1) < _SKIN_WITHIN
    counts = np.bincount(distances.argmin(axis=0)[~is_skin], minlength=len(COLOURS))
    return {colour: float(count) / len(lesion) for colour, count in zip(COLOURS, counts, strict=True)}


def present(shares: Mapping[Colour, float]) -> tuple[Colour, ...]:
    """Return the colours that are present, the most widespread first."""
    colours = [colour for colour in COLOURS if shares[colour] >= PRESENT_FROM]
    return tuple(sorted(colours, key=lambda colour: -shares[colour]))


def _distances(lab: Lab) -> npt.NDArray[np.float32]:
    """Return the distance of each of N colours from the nearest centroid of each of the six, float32 (6, N).

    Distances are squared, minus the squared length of the colour, which is the same for all six. A matrix product
    would be slower on busy processors, because of the overhead of its threads.
    """
    first, second, third = np.ascontiguousarray(lab.T)
    distances = np.empty((len(COLOURS), len(lab)), dtype=np.float32)
    for own, centroids in zip(distances, _CENTROID_LAB, strict=True):
        a, b, c = centroids.T[:, :, None]
        ((a * a + b * b + c * c) - 2 * (a * first + b * second + c * third)).min(axis=0, out=own)
    return distances


def _linear_of_lab(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    y = (lab[0] + 16) / 116
    f = np.array([y + lab[1] / 500, y, y - lab[2] / 200])
    xyz = np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29)) * _WHITE_POINT
    return np.clip(_FROM_XYZ @ xyz, 0.0, 1.0).astype(np.float32)


def _linear_table() -> npt.NDArray[np.float32]:
    values = np.arange(256) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()
_CENTROID_LAB = [
    lab_of(np.array([list(bytes.fromhex(code)) for code in _CENTROIDS[colour].split()], dtype=np.uint8))
    for colour in COLOURS
]
