"""Photographs with lesion masks, and the contribution of each network stage to a prediction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from mlmodel.datasets.dataset import Dataset
from mlmodel.network.engine import Engine
from mlmodel.network.head import Floats, Head
from mlmodel.network.heat_map import stage_cam
from mlmodel.network.stages import stage_slice
from mlmodel.pictures.picture import centre_square, decode
from mlmodel.taxonomy import CODES
from research.pointing import Mask

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Network:
    """A backbone with its head."""

    engine: Engine
    head: Head

    def parts(self, pixels: np.ndarray, class_index: int | None = None) -> tuple[int, dict[str, Floats]]:
        """Return each mapped stage's contribution to a class's logit, by position; by default for the likeliest class.

        Args:
            pixels: uint8 (H, W, 3), a photograph.
            class_index: the index of the class to explain.
        """
        output = self.engine.run(self.engine.prepare(pixels)[None], maps=True)
        features = output.features[0].astype(np.float16).astype(np.float32)  # rounded as stored features are
        chosen = int(self.head.logits(features[None])[0].argmax()) if class_index is None else class_index
        gradient = self.head.gradient(features, class_index=chosen)
        return chosen, {s: stage_cam(maps[0], gradient[stage_slice(s)]) for s, maps in output.maps.items()}


def another(values: Sequence[_Found], place: int) -> _Found:
    """Return the item half the sequence away: of another class, if rows are sorted and classes balanced."""
    return values[(place + len(values) // 2) % len(values)]


def photographs(data: Path, dataset: Dataset, rows: Sequence[int]) -> Iterator[tuple[int, np.ndarray, Mask]]:
    """Yield the row, and pixels and lesion mask of the centre square; photographs with an empty mask are skipped."""
    for row in tqdm(rows, disable=None):
        path = dataset.paths[row]
        with Image.open(data / "masks" / f"{path.stem}.png") as file:
            mask = np.asarray(file.convert("L")) > 127
        pixels = decode(path.read_bytes()).pixels
        if mask.shape != pixels.shape[:2]:
            raise SystemExit(f"{path.name} and its mask are not of one size.")
        if (mask := centre_square(mask)).any():
            yield row, centre_square(pixels), mask


def chosen_rows(dataset: Dataset, folds: tuple[int, ...], each: int) -> list[int]:
    """Return up to ``each`` rows of each class from ``folds`` (0 for all); deterministic."""
    rows = np.flatnonzero(dataset.rows(folds))
    generator = np.random.default_rng(0)
    mixed = [generator.permutation(rows[dataset.labels[rows] == k]) for k in range(len(CODES))]
    return [int(row) for own in mixed for row in own[: each or None]]
