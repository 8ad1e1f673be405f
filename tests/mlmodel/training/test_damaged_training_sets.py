"""Training reads photographs as strictly as the clinic does, and stops at a damaged one with its name."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlmodel.datasets.dataset import read_photograph
from mlmodel.datasets.feature_cache import cached_features
from mlmodel.datasets.tables import DataError
from mlmodel.network.analyser import get_analyser
from mlmodel.training.feed import batches, read_square
from mlmodel.training.segmenter_training.pairs import mask_path, read_mask, read_pairs
from tests.mlmodel.damage import zeroed
from tests.mlmodel.ham10000_like import SAMPLES, write_table

WHOLE = sorted(SAMPLES.glob("*.jpg"))[:3]


@pytest.fixture
def data(tmp_path) -> Path:
    """Three photographs with their masks; the second one lacks a block, as a memory card loses it."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number, path in enumerate(WHOLE):
        copied = shutil.copy(path, folder / "images" / f"I{number}.jpg")
        Image.new("1", (224, 224), 1).save(mask_path(Path(copied)))
    photograph = folder / "images" / "I1.jpg"
    photograph.write_bytes(zeroed(photograph.read_bytes(), 0.5, 4096))
    rows = [
        {"image_id": f"I{number}", "dx": "nv", "lesion_group": f"L{number}", "source": "sharp", "fold": "0"}
        for number in range(3)
    ]
    write_table(folder / "metadata.csv", rows)
    return folder


def paths_of(data: Path) -> list[Path]:
    return [data / "images" / f"I{number}.jpg" for number in range(3)]


def fed(data: Path) -> object:
    fed = batches(paths_of(data), np.arange(3), side=96, kind="none", chance=(0,), batch_size=1)
    return [pixels.shape for pixels, _ in fed]


def featured(data: Path) -> object:
    return cached_features(paths_of(data), engine=get_analyser().engine, cache=data / "cache")


def paired(data: Path) -> object:
    return read_pairs(data, cache=data / "cache")


@pytest.mark.parametrize("read", [fed, featured, paired])
def test_a_damaged_photograph_stops_training_and_is_named(read: Callable[[Path], object], data):
    with pytest.raises(DataError, match=r"I1\.jpg: The picture is damaged or incomplete.*\[broken-image\]"):
        read(data)
    shutil.copy(WHOLE[1], data / "images" / "I1.jpg")
    read(data)


def test_a_photograph_that_is_gone_is_named(data):
    (data / "images" / "I2.jpg").unlink()
    with pytest.raises(DataError, match=r"I2\.jpg: No such file"):
        read_photograph(data / "images" / "I2.jpg")


def test_a_damaged_mask_is_named(data):
    path = paths_of(data)[0]
    assert read_mask(path).all()
    mask_path(path).write_bytes(mask_path(path).read_bytes()[:-20])
    with pytest.raises(DataError, match=r"I0\.png: The picture is damaged"):
        read_mask(path)


@pytest.mark.parametrize("path", WHOLE)
def test_training_sees_the_pixels_that_the_clinic_sees(path):
    square = read_square(path)
    assert np.array_equal(square, np.asarray(Image.open(path).convert("RGB"))[:, 75:525])
