"""``manage.py train``: killed at any moment it goes on where it was, and ends as if nothing had happened."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from mlmodel.taxonomy import CODES
from mlmodel.training.run_folder import Place, RunDirectory, RunError
from tests.mlmodel.ham10000_like import read_table, write_folds, write_table
from tests.places import ROOT

RECIPE = """
about = "A small one, for a test."
architecture = "cnn8"
classes = ["bcc", "mel", "nv"]
start = "random"
scaling = "0..1"
hidden_units = 8
dropout = 0.5
optimizer = "adamw"
weight_decay = 0.01
sampling = "square-root"
loss = "logit-adjusted"
average = 0.9
batch_size = 2
changes = "dermatoscope"
seed = 3
[[phases]]
side = 256
epochs = 2
peak_rate = 1e-3
final_rate = 1e-4
warm_up_steps = 2
[[phases]]
side = 256
epochs = 2
peak_rate = 5e-4
final_rate = 5e-4
"""
# The first epoch of it.
SHORT = RECIPE.rpartition("[[phases]]")[0].replace("epochs = 2", "epochs = 1")


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    (tmp_path / "small.toml").write_text(RECIPE)
    data = write_folds(tmp_path / "data", classes=("bcc", "mel", "nv"), copies=4)
    return ["--architecture", "cnn8", "--recipe", str(tmp_path / "small.toml"), "--data", str(data)]


def carry_out(asked: list[str], run: Path, *more: str) -> None:
    """Train to the end in this process, which has TensorFlow loaded already."""
    call_command("train", *asked, "--run", str(run), *more)


def train(asked: list[str], run: Path, *more: str) -> subprocess.Popen[bytes]:
    """Train in a process of its own, which can be killed, and which keeps where it is after each step."""
    run.parent.mkdir(exist_ok=True)
    said = run.with_suffix(".log").open("ab")
    with said:
        return subprocess.Popen(
            [sys.executable, "manage.py", "train", *asked, "--run", str(run), "--checkpoint-seconds", "0", *more],
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=said,
            stderr=subprocess.DEVNULL,
        )


def place_of(run: Path) -> Place:
    kept = RunDirectory(run).load_checkpoint() if run.exists() else None
    return kept[0] if kept else Place()


@pytest.mark.slow
def test_a_run_killed_twice_in_mid_epoch_shows_the_same_photographs_and_ends_at_the_same_step(asked, tmp_path, capsys):
    carry_out(asked, tmp_path / "undisturbed")
    expected = json.loads((tmp_path / "undisturbed" / "report.json").read_text())

    killed = tmp_path / "killed"
    for until, more in ((3, ()), (expected["steps_taken"] * 2 // 3, ("--resume",))):
        process = train(asked, killed, *more)
        while place_of(killed).steps_taken < until:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not (killed / "weights.npz").exists()
    assert "Resuming after step" in killed.with_suffix(".log").read_text()
    capsys.readouterr()
    carry_out(asked, killed, "--resume")

    assert "Resuming after step" in capsys.readouterr().out
    found = json.loads((killed / "report.json").read_text())
    assert found["order"] == expected["order"] != ""
    assert found["steps_taken"] == expected["steps_taken"]
    assert [row["epoch"] for row in found["epochs"]] == ["1", "2", "3", "4"]
    assert read_table(killed / "steps.csv") != []
    # Sums over threads come in no fixed order, so weights agree to rounding, not to the bit.
    for one, other in zip(
        RunDirectory(killed).load_weights(), RunDirectory(tmp_path / "undisturbed").load_weights(), strict=True
    ):
        assert np.allclose(one, other, atol=2e-3)
    assert (killed / "curves.png").read_bytes().startswith(b"\x89PNG")
    carry_out(asked, killed, "--resume")
    assert "This run has already finished" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_that_comes_apart_ends_and_says_what_to_do(asked, tmp_path):
    recipe = RECIPE.replace("peak_rate = 1e-3", "peak_rate = 1e30").replace("warm_up_steps = 2", "")
    (tmp_path / "small.toml").write_text(recipe.replace("average = 0.9", "average = 0.0"))
    with pytest.raises(CommandError, match=r"The loss of 5 consecutive steps, up to step \d+, is not finite"):
        carry_out(asked, tmp_path / "run")
    assert not (tmp_path / "run" / "weights.npz").exists()


@pytest.mark.slow
def test_a_run_is_never_overwritten_and_never_resumed_on_other_data(asked, tmp_path):
    run = tmp_path / "run"
    RunDirectory(run).start({"recipe": {}, "data": ""})
    with pytest.raises(CommandError, match=r"already contains a run\. Continue it with --resume"):
        call_command("train", *asked, "--run", str(run))
    with pytest.raises(CommandError, match=r"There is no run of `manage\.py train` in"):
        call_command("train", *asked, "--run", str(tmp_path / "other"), "--resume")
    (tmp_path / "file").write_text("no folder")
    for more, message in (((), "cannot be used for a run: File exists"), (("--resume",), "There is no run of")):
        with pytest.raises(CommandError, match=message):
            call_command("train", *asked, "--run", str(tmp_path / "file"), *more)
    from mlmodel.training.recipe import load_recipe

    (run / "configuration.json").write_text(
        json.dumps({"recipe": load_recipe(str(tmp_path / "small.toml")).as_dict(), "data": "0" * 64})
    )
    with pytest.raises(CommandError, match="has other data"):
        call_command("train", *asked, "--run", str(run), "--resume")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--architecture", "xception"), "is for --architecture cnn8"),
        (("--recipe", "nothing"), "There is no recipe “nothing”. Available recipes: ablation, best"),
        (("--data", "nowhere"), "nowhere/metadata.csv does not exist"),
        (("--backbone-weights", "nowhere.h5"), "The file nowhere.h5 does not exist"),
        (
            ("--architecture", "vgg16", "--recipe", "paper-vgg16", "--backbone-weights", "{wrong}"),
            "does not contain the weights of Keras's vgg16 without its top",
        ),
        (("--checkpoint-seconds", "900"), "must be 0 to 300"),
        (("--recipe", "paper-cnn8", "--split", "by-lesion", "--data", "{empty}"), "no photographs of mel"),
    ],
)
def test_what_cannot_be_trained_says_why_and_leaves_nothing_behind(asked, tmp_path, more, message):
    empty = write_folds(tmp_path / "empty", classes=("bcc", "nv"))
    wrong = tmp_path / "wrong.h5"
    wrong.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    more = tuple(value.replace("{empty}", str(empty)).replace("{wrong}", str(wrong)) for value in more)
    kept = asked[:-2] if "--data" in more else asked
    with pytest.raises(CommandError, match=message):
        call_command("train", *kept, *more, "--run", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_second_collection_with_partial_labels_is_trained_on_and_watched_by_its_name(asked, tmp_path):
    data = Path(asked[-1])
    rows = read_table(data / "metadata.csv")
    abroad = tmp_path / "abroad"
    shutil.copytree(data, abroad)
    labels = {"bcc": "scc", "nv": "benign", "mel": "mel"}
    for row in rows:
        (abroad / "images" / f"{row['image_id']}.jpg").rename(abroad / "images" / f"other_{row['image_id']}.jpg")
        row["image_id"] = row["lesion_group"] = f"other_{row['image_id']}"
        row |= {"dx": labels[row["dx"]], "source": "Lisbon"}
    write_table(abroad / "metadata.csv", rows)
    all_seven = RECIPE.replace('classes = ["bcc", "mel", "nv"]', "").replace("epochs = 2", "epochs = 1")
    (tmp_path / "small.toml").write_text(all_seven.replace("average = 0.9", "average = 0.9\ncutmix = 1.0"))
    home = write_folds(tmp_path / "home", classes=CODES, copies=3)

    asked = [*asked[:4], "--data", str(home), "--data", str(abroad), "--run", str(tmp_path / "run")]
    call_command("train", *asked)

    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert np.isfinite([float(row["loss_lisbon"]) for row in report["epochs"]]).all()
    shown = len([row for row in [*rows, *read_table(home / "metadata.csv")] if row["fold"] == "0"])
    assert report["steps_taken"] == pytest.approx(2 * shown / 2, abs=6), (
        "of both; each class is drawn to a whole number"
    )


def test_weights_of_a_run_that_has_not_ended_are_not_there(tmp_path):
    RunDirectory(tmp_path).start({})
    with pytest.raises(RunError, match="the run has not finished"):
        RunDirectory(tmp_path).load_weights()


@pytest.mark.slow
def test_the_precision_and_split_that_were_asked_for_stand_in_the_runs_configuration(asked, tmp_path):
    (tmp_path / "small.toml").write_text(SHORT)
    carry_out(asked, tmp_path / "run", "--precision", "bfloat16", "--split", "by-image")

    recipe = json.loads((tmp_path / "run" / "configuration.json").read_text())["recipe"]
    assert (recipe["precision"], recipe["split"]) == ("bfloat16", "by-image")
    assert {weight.dtype for weight in RunDirectory(tmp_path / "run").load_weights()} == {np.dtype("float32")}


@pytest.mark.slow
def test_what_teachers_say_is_learned_in_place_of_the_labels(asked, tmp_path):
    runs = tmp_path / "runs"
    (tmp_path / "small.toml").write_text(SHORT)
    taught = SHORT.replace("seed = 3", 'seed = 3\nteachers = ["teacher"]\nteaching_share = 1.0')
    (tmp_path / "taught.toml").write_text(taught)
    as_taught = [*asked[:3], str(tmp_path / "taught.toml"), *asked[4:]]
    with pytest.raises(CommandError, match="The teacher “teacher” of “taught”"):
        call_command("train", *as_taught, "--run", str(runs / "learner"))
    assert not (runs / "learner").exists()

    carry_out(asked, runs / "teacher")
    carry_out(as_taught, runs / "learner")

    of_labels, of_teacher = (json.loads((runs / name / "report.json").read_text()) for name in ("teacher", "learner"))
    assert of_labels["order"] == of_teacher["order"]
    # The same photographs, changes and start: only what was asked for differs, and a teacher is less sure than labels.
    first_epochs = [float(report["epochs"][0]["loss"]) for report in (of_labels, of_teacher)]
    assert first_epochs[0] != pytest.approx(first_epochs[1], abs=1e-3)


@pytest.mark.slow
def test_a_run_begins_with_all_weights_of_an_ended_one(asked, tmp_path):
    runs = tmp_path / "runs"
    (tmp_path / "small.toml").write_text(SHORT)
    still = SHORT.replace("= 1e-3\nfinal_rate = 1e-4", "= 1e-12\nfinal_rate = 1e-12")
    assert still != SHORT
    (tmp_path / "still.toml").write_text(still)
    as_still = [*asked[:3], str(tmp_path / "still.toml"), *asked[4:]]
    RunDirectory(runs / "first").start({})
    with pytest.raises(CommandError, match="has not finished"):
        call_command("train", *as_still, "--run", str(runs / "second"), "--begin-from", str(runs / "first"))
    assert not (runs / "second").exists()
    shutil.rmtree(runs / "first")

    carry_out(asked, runs / "first")
    carry_out(as_still, runs / "second", "--begin-from", str(runs / "first"))

    (runs / "second" / "checkpoint.npz").unlink(missing_ok=True)
    (runs / "second" / "report.json").unlink()
    with pytest.raises(CommandError, match="give --begin-from again"):
        call_command("train", *as_still, "--run", str(runs / "second"), "--resume")
    carry_out(asked, runs / "third")
    with pytest.raises(CommandError, match="did not start from"):
        call_command("train", *asked, "--run", str(runs / "third"), "--resume", "--begin-from", str(runs / "first"))
    carry_out(as_still, runs / "second", "--resume", "--begin-from", str(runs / "first"))

    before, after = (RunDirectory(runs / name).load_weights() for name in ("first", "second"))
    trainable = [(a, b) for a, b in zip(before, after, strict=True) if a.ndim > 1]
    assert all(a == pytest.approx(b, abs=1e-6) for a, b in trainable), "at no rate to speak of it stays what it was"
    begun = json.loads((runs / "second" / "configuration.json").read_text())["begun_from"]
    assert begun["run_recipe"] == "small"
    assert begun["steps_taken"] > 0


FROZEN = """
about = "A head on a frozen base."
architecture = "vgg16"
classes = ["bcc", "mel", "nv"]
start = "random"
scaling = "caffe"
hidden_units = 8
dropout = 0.2
batch_size = 4
changes = "paper"
seed = 5
[[phases]]
side = 32
epochs = 2
peak_rate = 1e-3
final_rate = 1e-3
trainable_from = "head"
"""


@pytest.mark.slow
def test_features_of_a_frozen_base_are_computed_once_for_all_runs_that_share_it(asked, tmp_path, capsys):
    (tmp_path / "frozen.toml").write_text(FROZEN)
    frozen = ["--architecture", "vgg16", "--recipe", str(tmp_path / "frozen.toml"), *asked[4:]]
    carry_out(frozen, tmp_path / "runs" / "lesion")
    # Each epoch's random changes, and the photographs as they are.
    kept = sorted(path.name for path in (tmp_path / "runs" / "frozen").rglob("*.npy"))
    assert kept == ["changed-000-000000.npy", "changed-001-000000.npy", "plain-000000.npy"]
    assert "features of the frozen base" in capsys.readouterr().out

    carry_out(frozen, tmp_path / "runs" / "image", "--split", "by-image")
    assert "features of the frozen base" not in capsys.readouterr().out
    by_lesion, by_image = (
        json.loads((tmp_path / "runs" / name / "report.json").read_text()) for name in ("lesion", "image")
    )
    assert by_lesion["order"] != by_image["order"]
    assert [row["epoch"] for row in by_image["epochs"]] == ["1", "2"]
