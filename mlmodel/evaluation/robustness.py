"""Robustness: how much answers change when the photograph of a lesion changes slightly."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter

from mlmodel.evaluation.answering import Answered
from mlmodel.metrics.curves import wilson
from mlmodel.network.analyser import Analyser, Analysis
from mlmodel.network.quality import Verdict
from mlmodel.pictures.picture import Picture, centre_square
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import read_picture
from mlmodel.taxonomy import CODES

Pixels = npt.NDArray[np.uint8]
_RESAMPLES = 1000
_BLUR = 1 / 224  # one pixel of a training photograph


@dataclass(frozen=True)
class Change:
    """A change to a photograph. ``apply`` takes and returns uint8 (side, side, 3)."""

    kind: str
    name: str
    apply: Callable[[Pixels], Pixels]


def softened(pixels: Pixels, *, radius: float) -> Pixels:
    """Return a copy blurred by a Gaussian with a standard deviation of ``radius`` 224ths of the side."""
    blur = ImageFilter.GaussianBlur(radius * _BLUR * pixels.shape[0])
    return np.asarray(Image.fromarray(pixels).filter(blur))


def compressed(pixels: Pixels, *, quality: int) -> Pixels:
    """Return a copy that was saved as a JPEG of this quality."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def relit(pixels: Pixels, *, factor: float) -> Pixels:
    """Return a copy with the brightness multiplied by ``factor``."""
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(factor))


def turned(pixels: Pixels, *, degrees: int) -> Pixels:
    """Return a copy rotated about the centre; corners are filled by reflection."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(pixels, degrees // 90))
    margin = pixels.shape[0] // 4
    padded = Image.fromarray(np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="reflect"))
    side = pixels.shape[0]
    image = padded.rotate(degrees, Image.Resampling.BICUBIC).crop((margin, margin, margin + side, margin + side))
    return np.asarray(image)


def tinted(pixels: Pixels, *, red: float, green: float, blue: float) -> Pixels:
    """Return a copy with scaled channels, as with another light source or white balance."""
    gains = np.array([red, green, blue], dtype=np.float32)
    return np.clip(pixels.astype(np.float32) * gains + 0.5, 0, 255).astype(np.uint8)


CHANGES: tuple[Change, ...] = (
    Change("softening", "slight: 0.5 pixels in 224", lambda pixels: softened(pixels, radius=0.5)),
    Change("softening", "plain: 1 pixel in 224", lambda pixels: softened(pixels, radius=1.0)),
    Change("JPEG", "quality 75", lambda pixels: compressed(pixels, quality=75)),
    Change("JPEG", "quality 40", lambda pixels: compressed(pixels, quality=40)),
    Change("brightness", "× 0.8", lambda pixels: relit(pixels, factor=0.8)),
    Change("brightness", "× 1.2", lambda pixels: relit(pixels, factor=1.2)),
    Change("rotation", "by 15°", lambda pixels: turned(pixels, degrees=15)),
    Change("rotation", "by 90°", lambda pixels: turned(pixels, degrees=90)),
    Change("rotation", "by 180°", lambda pixels: turned(pixels, degrees=180)),
    Change("colour cast", "warmer: red × 1.08, blue × 0.92", lambda p: tinted(p, red=1.08, green=1.0, blue=0.92)),
    Change("colour cast", "cooler: red × 0.92, blue × 1.08", lambda p: tinted(p, red=0.92, green=1.0, blue=1.08)),
    Change("colour cast", "greener: green × 1.06", lambda p: tinted(p, red=1.0, green=1.06, blue=1.0)),
)

Progress = Callable[[Iterable[Path]], Iterable[Path]]


def robustness_of(
    answered: Answered, analyser: Analyser, *, count: int, seed: int = 0, progress: Progress = iter
) -> dict[str, Any]:
    """Return for each change how much the answers to ``count`` photographs of different lesions move.

    The move of a photograph is the total variation distance of its probabilities: half the sum of the differences,
    the share of probability that went to other classes, from 0 to 1.
    """
    moves: dict[int, list[tuple[float, bool, bool, bool]]] = {index: [] for index in range(len(CHANGES))}
    used = 0
    for path in progress(_drawn(answered, count, seed)):
        try:
            picture = read_picture(path)
        except (PictureError, OSError):
            continue
        used += 1
        pixels = np.ascontiguousarray(centre_square(picture.pixels))
        plain = _answer(analyser, pixels, picture)
        for index, change in enumerate(CHANGES):
            moves[index].append(_move(plain, _answer(analyser, change.apply(pixels), picture)))
    return {
        "photographs": used,
        "seed": seed,
        "changes": [_summary(change, moves[index]) for index, change in enumerate(CHANGES) if moves[index]],
    }


def _drawn(answered: Answered, count: int, seed: int) -> list[Path]:
    lesions, photographs = answered.answers.lesions, answered.photographs
    rows = np.random.default_rng(seed).permutation(len(lesions))
    _, first = np.unique(lesions[rows], return_index=True)
    return [photographs.paths[row] for row in rows[np.sort(first)][:count]]


def _answer(analyser: Analyser, pixels: Pixels, picture: Picture) -> Analysis:
    return analyser.analyse(Picture(pixels=pixels, format=picture.format, media_type=picture.media_type), force=True)


def _move(plain: Analysis, changed: Analysis) -> tuple[float, bool, bool, bool]:
    before, after = plain.assessment, changed.assessment
    assert before is not None, "a forced analysis always assesses"
    assert after is not None, "a forced analysis always assesses"
    distance = sum(abs(before.probabilities[code] - after.probabilities[code]) for code in CODES) / 2
    is_refused = plain.quality.verdict is Verdict.ACCEPTED and changed.quality.verdict is not Verdict.ACCEPTED
    return distance, before.code != after.code, before.tier != after.tier, is_refused


def _summary(change: Change, moves: Sequence[tuple[float, bool, bool, bool]]) -> dict[str, Any]:
    table = np.array(moves, dtype=np.float64)
    return {
        "kind": change.kind,
        "name": change.name,
        "mean_move": _mean(table[:, 0]),
        "move_p95": round(float(np.percentile(table[:, 0], 95)), 4),
        "class_changed": _share(table[:, 1]),
        "tier_changed": _share(table[:, 2]),
        "newly_refused": _share(table[:, 3]),
    }


def _mean(values: npt.NDArray[np.float64]) -> dict[str, float]:
    resampled = np.random.default_rng(0).choice(values, (_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(resampled, (2.5, 97.5)).tolist()
    return {"value": round(float(values.mean()), 4), "low": round(low, 4), "high": round(high, 4)}


def _share(values: npt.NDArray[np.float64]) -> dict[str, float]:
    low, high = wilson(int(values.sum()), len(values))
    return {"value": round(float(values.mean()), 4), "low": low, "high": high}
