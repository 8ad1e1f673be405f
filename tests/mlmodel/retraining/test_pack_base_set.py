"""The command that packs the base set from photographs and adds it to the release."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from mlmodel.datasets.dataset import Dataset
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED
from mlmodel.releases.sources import HAM10000
from mlmodel.retraining import read_base_set
from mlmodel.training import base_set_packing as base_set
from mlmodel.training.base_set_packing import base_set_of
from tests.mlmodel.ham10000_like import read_table, write_folds, write_table

pytestmark = pytest.mark.slow


@pytest.fixture
def release(tmp_path):
    """The shipped files without the base set. The large ones are linked."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("backbone.onnx", "head.npz"):
        (folder / name).symlink_to(SHIPPED / name)
    for name in ("card.md", "manifest.json"):
        shutil.copy(SHIPPED / name, folder)
    return folder


def test_the_command_packs_the_folds_and_the_release_keeps_its_version(tmp_path, release, capsys):
    data = write_folds(tmp_path / "data", classes=("mel", "nv"), copies=4)
    rows = read_table(data / "metadata.csv")
    for row in rows:
        row["fold"] = {"0": "7", "1": "8", "2": "3", "3": "5"}[row["image_id"][-1]]
    rows[1]["source"] = "soft"
    write_table(data / "metadata.csv", rows)

    call_command("pack_base_set", data, release=release, cache=tmp_path / "cache")

    found = read_base_set(release / "base_set.npz")
    each = len(rows) // 4
    assert (len(found.replay), len(found.calibration), len(found.locked)) == (2 * each, each, each)
    assert len(found.sharp_locked) == each - 1
    assert load_release(release).sha256 == load_release().sha256
    assert f"{each} for the held-out test set" in capsys.readouterr().out
    assert list(Path(tmp_path / "cache").rglob("*.npz"))


def test_a_folder_that_is_no_data_set_is_refused(tmp_path, release):
    with pytest.raises(CommandError, match=r"metadata\.csv does not exist"):
        call_command("pack_base_set", tmp_path, release=release, cache=tmp_path / "cache")


def test_of_a_common_class_one_photograph_of_each_lesion_comes_first(monkeypatch):
    monkeypatch.setattr(base_set, "MOST_OF_A_CLASS", 12)
    # Ten nevi, photographed three times each, and two melanomas, once.
    lesions = np.array([f"nevus {n // 3}" for n in range(30)] + ["melanoma 0", "melanoma 1"])
    dataset = Dataset(
        paths=tuple(Path(f"{n}.jpg") for n in range(32)),
        labels=np.array([5] * 30 + [4] * 2),
        lesions=lesions,
        copies=np.full(32, "sharp"),
        folds=np.zeros(32, dtype=np.int64),
        sources=np.full(32, HAM10000),
        proofs=np.full(32, "histo"),
    )

    replay = base_set_of(dataset, np.zeros((32, 3), dtype=np.float16), backbone_sha256="b" * 64).replay

    assert np.bincount(replay.labels)[[4, 5]].tolist() == [2, 12]
    assert len(set(replay.lesions)) == 12
