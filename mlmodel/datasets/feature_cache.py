"""Cached features of many photographs: computing them is the slow part of training a head."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance
from tqdm import tqdm

from mlmodel.datasets.dataset import read_photograph
from mlmodel.network.engine import Engine
from mlmodel.network.stages import FEATURE_COUNT

Pixels = npt.NDArray[np.uint8]
_CHUNK = 256
_BATCH = 8


def cached_features(
    paths: Sequence[Path], *, engine: Engine, cache: Path, augmentation_seed: int | None = None
) -> npt.NDArray[np.float16]:
    """Return the features of photographs, float16 (N, 5640), from the cache where possible.

    Features are stored in chunks of 256 photographs, so that an interrupted run can resume. A chunk is reused only if
    it was computed for the same file names.

    Args:
        paths: the photographs.
        engine: the backbone.
        cache: a folder for this combination of backbone, photographs and augmentation.
        augmentation_seed: compute the features of one randomly augmented copy of each photograph instead.

    Raises:
        DatasetError: a photograph is damaged or cannot be read.
    """
    cache.mkdir(parents=True, exist_ok=True)
    features = np.empty((len(paths), FEATURE_COUNT), dtype=np.float16)
    for start in tqdm(range(0, len(paths), _CHUNK), desc="features", unit="chunk", disable=None):
        chunk = paths[start : start + _CHUNK]
        chunk_path = cache / f"{start:06}.npz"
        names = np.array([path.name for path in chunk])
        chunk_features = _read_chunk(chunk_path, names)
        if chunk_features is None:
            chunk_features = _compute(chunk, engine, start, augmentation_seed)
            partial = chunk_path.with_suffix(".partial.npz")
            np.savez(partial, names=names, features=chunk_features)
            partial.replace(chunk_path)
        features[start : start + len(chunk)] = chunk_features
    return features


def augmented(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Return a randomly augmented copy of a square photograph: rotated, mirrored, cropped, relit and softened.

    The files of HAM10000 differ in sharpness, and some classes are soft more often than others. Random softening keeps
    the head from using sharpness as a clue to the class.

    Args:
        pixels: uint8 (side, side, 3).
        generator: the random number generator.
    """
    side = pixels.shape[0]
    crop = int(side * generator.uniform(0.8, 1.0))
    left, top = (int(generator.integers(0, side - crop + 1)) for _ in range(2))
    picture = Image.fromarray(np.rot90(pixels, int(generator.integers(4))))
    if generator.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture = picture.crop((left, top, left + crop, top + crop))
    if generator.random() < 0.6:
        width = int(crop * generator.uniform(0.5, 1.0))
        height = width if generator.random() < 0.5 else crop
        file = io.BytesIO()
        picture.resize((width, height), Image.Resampling.BICUBIC).save(
            file, "JPEG", quality=int(generator.integers(60, 95))
        )
        picture = Image.open(file).resize((crop, crop), Image.Resampling.BICUBIC)
    picture = ImageEnhance.Brightness(picture).enhance(generator.uniform(0.85, 1.15))
    picture = ImageEnhance.Color(picture).enhance(generator.uniform(0.85, 1.15))
    return np.asarray(picture)


def _compute(
    paths: Sequence[Path], engine: Engine, first: int, augmentation_seed: int | None
) -> npt.NDArray[np.float16]:
    parts = []
    for start in range(0, len(paths), _BATCH):
        batch = []
        for offset, path in enumerate(paths[start : start + _BATCH], start=first + start):
            pixels = read_photograph(path).pixels
            if augmentation_seed is not None:
                pixels = augmented(pixels, np.random.default_rng((augmentation_seed, offset)))
            batch.append(engine.prepare(pixels))
        parts.append(engine.run(np.stack(batch)).features.astype(np.float16))
    return np.concatenate(parts)


def _read_chunk(path: Path, names: npt.NDArray[np.str_]) -> npt.NDArray[np.float16] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as chunk:
        features: npt.NDArray[np.float16] = chunk["features"]
        return features if np.array_equal(chunk["names"], names) else None
