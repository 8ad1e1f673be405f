"""The segmenter's training, small: from photographs and masks to a file and its facts, and on after being killed."""

import csv
import json
import shutil

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _tensorflow():
    pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Dark discs on skin: 24 to train on, 4 to choose with, 4 locked."""
    folder = tmp_path_factory.mktemp("ham10000")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:224, :224]
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "dx", "lesion_group", "source", "fold"])
        for number, fold in enumerate([0] * 24 + [7] * 4 + [8] * 4):
            centre, radius = generator.uniform(80, 144, 2), generator.uniform(30, 70)
            mask = np.hypot(x - centre[0], y - centre[1]) < radius
            pixels = np.where(mask[..., None], (110, 70, 50), (220, 170, 150)) + generator.normal(0, 4, (224, 224, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"I{number}.jpg")
            Image.fromarray(mask).save(folder / "masks" / f"I{number}.png")
            writer.writerow([f"I{number}", "nv", f"L{number}", "sharp" if number % 2 else "soft", fold])
    return folder


def trained(data, folder, **options):
    call_command(
        "train_segmenter",
        str(data),
        output=folder / "segmenter.onnx",
        run=folder / "run",
        cache=folder / "cache",
        **{"small_steps": 5, "full_steps": 2, "threads": 1, **options},
    )


def test_from_photographs_to_a_file_that_loads(data, tmp_path, capsys):
    from mlmodel.segmentation.segmenter import load_segmenter

    trained(data, tmp_path)

    segmenter = load_segmenter(tmp_path)
    with Image.open(data / "images" / "I31.jpg") as photograph:
        found = segmenter.segment(np.asarray(photograph))
    assert 0 <= found.certainty <= 1
    facts = json.loads((tmp_path / "segmenter.json").read_text())
    assert facts["training"]["recipe"]["small_steps"] == 5
    assert facts["training"]["train_folds"] == "0–6"
    assert facts["locked_test"]["photographs"]["all"] == 4
    otsu = next(scores for method, scores in facts["locked_test"]["scores"].items() if method.startswith("Otsu"))
    assert otsu["all"]["value"] > 0.9, "discs are easy for a threshold"
    assert "fold 7 after 7 steps" in capsys.readouterr().out


@pytest.fixture(scope="module")
def unjudged(data, tmp_path_factory):
    """What a single step left behind."""
    folder = tmp_path_factory.mktemp("unjudged")
    trained(data, folder, small_steps=1, full_steps=0, unjudged=True)
    return folder


def test_left_unjudged_the_locked_folds_are_not_looked_at(unjudged):
    assert (unjudged / "segmenter.onnx").exists()
    assert not (unjudged / "segmenter.json").exists()


def test_an_interrupted_run_goes_on_to_the_same_end(step_by_step, data, tmp_path):
    """Broken off at the sixth step, where the last checkpoint is that of the third: the end is as if nothing was."""
    from mlmodel.training.run_folder import RunDirectory
    from mlmodel.training.segmenter_training.loop import SegmenterRecipe, train_segmenter
    from mlmodel.training.segmenter_training.pairs import read_pairs

    class Killed(Exception):
        pass

    def kill(line):
        if "after 6 steps" in line:
            raise Killed

    pairs = read_pairs(data, cache=tmp_path / "cache")
    recipe = SegmenterRecipe(small_steps=5, full_steps=2)

    def run(name, **options):
        options = {"resume": False, "say": lambda line: None, **options}
        return train_segmenter(pairs, recipe=recipe, run=RunDirectory(tmp_path / name), **options)

    whole = run("whole")
    with pytest.raises(Killed):
        run("broken", say=kill)
    resumed = run("broken", resume=True)

    for one, other in zip(whole.weights, resumed.weights, strict=True):
        assert np.allclose(one.numpy(), other.numpy(), atol=1e-5), one.path
    assert [row["steps_taken"] for row in RunDirectory(tmp_path / "broken").rows("epochs.csv")] == ["3", "6", "7"]


def test_what_cannot_be_done_says_what_to_do(data, unjudged, tmp_path):
    with pytest.raises(CommandError, match="--resume"):
        trained(data, unjudged, small_steps=1, full_steps=0, unjudged=True)
    with pytest.raises(CommandError, match="another recipe"):
        trained(data, unjudged, small_steps=2, full_steps=0, unjudged=True, resume=True)
    with pytest.raises(CommandError, match=r"metadata\.csv"):
        trained(tmp_path, tmp_path)
    for wrong in (
        {"small_steps": -1},
        {"small_steps": 0, "full_steps": 0},
        {"peak_rate": float("nan")},
        {"seed": -1},
        {"threads": -1},
    ):
        with pytest.raises(CommandError, match=f"--{next(iter(wrong)).replace('_', '-')}"):
            trained(data, tmp_path / "other", **wrong)
    assert not (tmp_path / "other" / "run").exists()
    with pytest.raises(CommandError, match="is not writable"):
        trained(data, unjudged / "segmenter.onnx" / "below")
    (data / "masks" / "I3.png").rename(data / "I3.png")
    with pytest.raises(CommandError, match=r"1 masks are missing.*I3\.png"):
        trained(data, tmp_path)
    (data / "I3.png").rename(data / "masks" / "I3.png")


def test_a_damaged_photograph_stops_the_training_and_is_named(data, tmp_path):
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    photograph = copy / "images" / "I5.jpg"
    photograph.write_bytes(photograph.read_bytes()[:-400])
    with pytest.raises(CommandError, match=r"I5\.jpg: The picture is damaged or incomplete.*\[broken-image\]"):
        trained(copy, tmp_path)
