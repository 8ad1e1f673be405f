"""Quality check: whether a photograph is large enough, well exposed, in focus and free of motion blur.

Everything is measured on the centre square reduced to 224 pixels, which is what the network sees: measures do not
depend on the camera, a dermatoscope's black corners have little weight, and a photograph that is sharp at that size is
correctly accepted even if its finest detail is soft.

Sharpness is the ratio of fine to coarse structure, so that smooth skin and pale lesions are not mistaken for blur; in
the direction where it is lowest, to detect motion blur; with a noise floor that depends on brightness, so that dark
skin and dim light give the same result. ``research/quality.py`` compared it with other measures on degraded copies,
all with sensor noise and JPEG compression after the blur, each at the threshold that accepts 98.5 % of every set of
good photographs:

    % detected                     this one   Laplacian variance   re-blur (Crete et al., 2007)
    Gaussian blur, sigma 1.5 %        100.0                100.0                           72.5
    Gaussian blur, sigma 4 %          100.0                100.0                           40.6
    motion 6 %, level                 100.0                 40.6                           64.4
    motion 10 %, slanting             100.0                 56.2                           31.2

Refused (%), lengths in per cent of the shortest side; all good photographs, and the first 40 of each set degraded:

                                 uploads (52)   phone (183)   HAM sharp (250)   HAM soft (250)
    unchanged                             0.0           0.5               0.0              0.0
    Gaussian blur, sigma 0.5 %            2.5           2.5               0.0              0.0
    Gaussian blur, sigma 1 %             60.0          22.5              55.0             42.5
    Gaussian blur, sigma 1.5 %          100.0         100.0             100.0            100.0
    Gaussian blur, sigma 4 %            100.0         100.0              92.5             92.5
    motion 3 %, level                    27.5          10.0              15.0              2.5
    motion 6 % and 10 %                97.5 +        97.5 +             100.0            100.0
    exposure x0.7                         0.0           0.0               0.0              0.0
    exposure x0.5                         0.0           2.5               0.0              0.0
    exposure x0.3                        80.0          92.5              87.5             75.0
    exposure x0.2 and x0.1              100.0         100.0             100.0            100.0
    exposure x1.3                         7.5           0.0               7.5             12.5
    exposure x2                          95.0          80.0              87.5             95.0
    exposure x3                         100.0          95.0             100.0            100.0
    exposure x4 and x5                  100.0         100.0             100.0            100.0
    black, white, one colour            100.0         100.0             100.0            100.0

LOWEST_SHARPNESS was chosen on HAM10000's fold 7, where it refuses 3 of 991 photographs: together with the in-domain
classifier, at most 1 in 200 good dermatoscopic photographs is refused. The other thresholds were chosen on the sets
above, so their results are slightly too good. None of the sets has many photographs of very dark skin: DARKEST is well
below the darkest good photograph (108), so that a dim photograph may pass but dark skin is not refused.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image, ImageStat

from mlmodel.pictures.picture import SQUARE_SIDE, Picture

# The network's input is 224 pixels; slightly smaller photographs can be enlarged.
SHORTEST_SIDE = 200
DARKEST = 60.0
LARGEST_CLIPPED_SHARE = 0.25
LOWEST_SHARPNESS = 0.0425
# In ``Quality.measures``: 1.0 where a smartphone took the photograph without a dermatoscope, else 0.0.
SMARTPHONE_MEASURE = "smartphone"


class Reliability(StrEnum):
    """How far an answer to a photograph can be relied on."""

    CALIBRATED = "calibrated"
    SMARTPHONE = "smartphone_not_reliable"
    # Refused by the quality check, but a dermatologist had it analysed anyway.
    NOT_JUDGED = "could_not_be_judged"


_SIDE = SQUARE_SIDE
_CLIPPED_FROM = 250
# Cycles per pixel at 224 pixels: structures of 6 to 12 pixels (network, streaks, hairs, edges) against 12 to 33.
_FINE_BAND, _COARSE_BAND = (0.08, 0.16), (0.03, 0.08)
_SECTORS = 8
# In squared grey levels at a mean brightness of 150: the energy of compression and noise in an empty picture.
_NOISE_FLOOR = 3.0
_TYPICAL_BRIGHTNESS = 150.0


class Verdict(StrEnum):
    """The verdict on a photograph. NOT_SKIN and NO_LESION come from networks in the analysis, not from this module."""

    ACCEPTED = "accepted"
    NOT_SKIN = "not_skin"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TOO_SMALL = "too_small"
    NO_LESION = "no_lesion"


@dataclass(frozen=True)
class Quality:
    """The verdict, and the measures on which it is based (finite floats, ready for JSON)."""

    verdict: Verdict
    measures: dict[str, float]


def judge(picture: Picture) -> Quality:
    """Return the quality of ``picture``; never raises.

    Measures: ``shortest_side`` in pixels; ``brightness``, the 90th percentile of the luma (0–255) in the centre
    square; ``clipped``, the overexposed share (0–1) of the centre square; ``sharpness`` ≥ 0, see ``sharpness``;
    ``red`` and ``blue``, the binary logarithms of their means relative to green in the centre square, which show a
    colour cast to drift monitoring but affect no verdict. The first reason to refuse wins: size, darkness, brightness,
    blur.
    """
    square = Image.fromarray(picture.square)
    luma = square.convert("L")
    counts = np.array(luma.histogram())
    # Add one grey level to avoid a division by zero.
    red, green, blue = (mean + 1 for mean in ImageStat.Stat(square).mean)
    measures = {
        "shortest_side": float(min(picture.width, picture.height)),
        "brightness": _percentile(counts, 0.9),
        "clipped": float(counts[_CLIPPED_FROM:].sum() / counts.sum()),
        "sharpness": sharpness(np.asarray(luma, dtype=np.float32)),
        "red": float(np.log2(red / green)),
        "blue": float(np.log2(blue / green)),
    }
    return Quality(_verdict(measures), {name: round(value, 4) for name, value in measures.items()})


def _percentile(counts: np.ndarray, share: float) -> float:
    """Return ``np.percentile``, interpolated linearly, of whole values from 0 that occur ``counts`` times."""
    at = share * (counts.sum() - 1)
    low, high = np.searchsorted(np.cumsum(counts), [np.floor(at), np.ceil(at)], side="right")
    return float(low + (high - low) * (at - np.floor(at)))


def _verdict(measures: dict[str, float]) -> Verdict:
    if measures["shortest_side"] < SHORTEST_SIDE:
        return Verdict.TOO_SMALL
    if measures["brightness"] < DARKEST:
        return Verdict.TOO_DARK
    if measures["clipped"] > LARGEST_CLIPPED_SHARE:
        return Verdict.TOO_BRIGHT
    if measures["sharpness"] < LOWEST_SHARPNESS:
        return Verdict.BLURRED
    return Verdict.ACCEPTED


def sharpness(luma: np.ndarray) -> float:
    """Return the ratio of fine to coarse structure, in energy, in the direction where it is lowest.

    ``luma``: float32 (224, 224), 0–255. Flat pictures give 0, sharp ones 0.1 to 1.
    """
    mean = float((luma * _WINDOW).sum() / _WINDOW.sum())
    spectrum = np.fft.rfft2((luma - mean) * _WINDOW)
    energy = (spectrum.real**2 + spectrum.imag**2) * (2 / (_SIDE**2 * float((_WINDOW**2).sum())))
    fine = np.bincount(_FINE_SECTORS, energy[_FINE], minlength=_SECTORS)
    # Overlapping sectors of three eighths; the second smallest, so that one empty direction does not decide.
    weakest = np.sort(fine + np.roll(fine, 1) + np.roll(fine, -1))[1]
    coarse = energy[_COARSE].sum() * 3 / _SECTORS
    # Contrast decreases with brightness; darker skin or dimmer light must give the same sharpness.
    relative_brightness = max(mean, 1.0) / _TYPICAL_BRIGHTNESS
    return float(weakest / (coarse + _NOISE_FLOOR * relative_brightness**2))


def _sectors() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    window = np.outer(np.hanning(_SIDE), np.hanning(_SIDE)).astype(np.float32)
    down, across = np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None]
    frequency = np.hypot(down, across)
    angle = np.mod(np.arctan2(down, across), np.pi)
    sector = np.floor(angle / np.pi * _SECTORS + 0.5).astype(np.intp) % _SECTORS
    fine = (frequency >= _FINE_BAND[0]) & (frequency < _FINE_BAND[1])
    coarse = (frequency >= _COARSE_BAND[0]) & (frequency < _COARSE_BAND[1])
    return window, fine, coarse, sector[fine]


_WINDOW, _FINE, _COARSE, _FINE_SECTORS = _sectors()
