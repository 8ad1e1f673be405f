"""Photographs with their lesion masks at the segmenter's size, cached after the first reading."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from mlmodel.datasets.dataset import Dataset, DatasetError, read_dataset, read_photograph
from mlmodel.segmentation.segmenter import INPUT_SIDE, segmenter_input

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pairs:
    """N photographs and masks.

    Attributes:
        dataset: their labels and folds.
        pixels: uint8 (N, 128, 128, 3).
        masks: uint8 (N, 128, 128), 255 where the lesion covers a pixel completely.
    """

    dataset: Dataset
    pixels: Pixels
    masks: Pixels


def read_pairs(folder: Path, *, cache: Path) -> Pairs:
    """Return HAM10000 with masks/ next to images/, from ``cache`` if that has the same data.

    Raises:
        DatasetError: the folder is invalid, a mask is missing, or a photograph or mask is damaged.
    """
    dataset = read_dataset(folder)
    if absent := [path.stem for path in dataset.paths if not mask_path(path).is_file()]:
        raise DatasetError(f"{len(absent)} masks are missing from {folder / 'masks'}, for example {absent[0]}.png.")
    kept = cache / f"pairs-{dataset.sha256[:16]}.npy"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        pairs = np.stack([_pair(path) for path in tqdm(dataset.paths, desc="photographs", disable=None)])
        partial = kept.with_suffix(".partial.npy")
        np.save(partial, pairs)
        partial.replace(kept)
    both: Pixels = np.load(kept, mmap_mode="r")
    return Pairs(dataset=dataset, pixels=both[..., :3], masks=both[..., 3])


def mask_path(photograph: Path) -> Path:
    """Return the path of a photograph's mask."""
    return photograph.parent.parent / "masks" / f"{photograph.stem}.png"


def read_mask(photograph: Path) -> npt.NDArray[np.bool_]:
    """Return a photograph's mask as published, bool (224, 224). Raises DatasetError: it is damaged."""
    return read_photograph(mask_path(photograph)).pixels[..., 0] > 127


def reduced_mask(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return the share of each of 128 × 128 pixels that the mask covers, float32 in [0, 1]."""
    image = Image.fromarray(mask.astype(np.float32))
    return np.asarray(image.resize((INPUT_SIDE, INPUT_SIDE), Image.Resampling.BOX), dtype=np.float32)


def _pair(path: Path) -> Pixels:
    pixels = segmenter_input(read_photograph(path).pixels)
    mask = (255 * reduced_mask(read_mask(path))).round().astype(np.uint8)
    return np.concatenate([pixels, mask[..., None]], axis=2)
