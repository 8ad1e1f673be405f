"""The recipe for clinics that training never saw, in small: from the first photograph to a network to be served."""

import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.mlmodel.ham10000_like import write_folds
from tests.places import ROOT

pytestmark = pytest.mark.slow
RECIPES = ROOT / "mlmodel" / "training" / "recipes"
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@pytest.fixture(autouse=True)
def _tensorflow():
    pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> list[str]:
    """Arguments for two epochs of the recipe at another size, from random weights: there is no download here."""
    folder = tmp_path_factory.mktemp("clinics")
    written = (RECIPES / "clinics-pilot.toml").read_text(encoding="utf-8")
    for was, instead in (
        ("side = 128", "side = 96"), ("epochs = 3", "epochs = 2"), ("batch_size = 32", "batch_size = 8"),
        ("settling_batches = 60", "settling_batches = 1"), ("warm_up_steps = 100", "warm_up_steps = 2"),
        ("least_answering = 0.5", 'least_answering = 0.01\nstart = "random"'),
    ):  # fmt: skip
        assert was in written
        written = written.replace(was, instead)
    (folder / "small.toml").write_text(written)
    data = write_folds(folder / "data", classes=CLASSES, copies=2)
    return ["--architecture", "xception", "--recipe", str(folder / "small.toml"), "--data", str(data)]


@pytest.fixture(scope="module")
def run(asked, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    call_command("train", *asked, "--run", str(folder))
    return folder


def test_it_learns_in_bfloat16_and_counts_the_units_that_answer_after_each_epoch(run):
    configuration = json.loads((run / "configuration.json").read_text())["recipe"]
    assert configuration["precision"] == "bfloat16"
    lines = (run / "epochs.csv").read_text().splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    shares = [float(row["answering_units"]) for row in rows]
    assert len(shares) == 2
    assert all(0.01 < share <= 1 for share in shares)


def test_it_begins_by_saying_the_class_mix():
    from mlmodel.training.architectures import build_network
    from mlmodel.training.recipe import load_recipe

    for name in ("clinics", "clinics-onwards", "clinics-pilot"):
        network = build_network(load_recipe(name), start="random")
        pixels = np.random.default_rng(0).uniform(0, 255, (2, 96, 96, 3)).astype(np.float32)
        assert not np.asarray(network(pixels, training=True)).any(), "so the loss is that of the mix alone"


def test_what_it_ended_with_can_be_served(run):
    from mlmodel.taxonomy import CODES
    from mlmodel.training.architectures import base_of
    from mlmodel.training.run_folder import RunDirectory
    from mlmodel.training.trained import head_of, load_trained

    recipe, network = load_trained(RunDirectory(run))
    head = head_of(recipe, network, trained_labels=np.arange(len(CODES)))
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert base_of(network).compute_dtype == "float32"
    assert np.isfinite(head.logits(np.ones((1, head.hidden_weights.shape[0]), dtype=np.float32))).all()


def test_a_last_block_that_dies_ends_the_run(asked, tmp_path, step_by_step):
    """A rate that no layer stands: its units fall silent, and hours more would teach nothing."""
    recipe = Path(asked[3])
    doomed = tmp_path / "doomed.toml"
    doomed.write_text(recipe.read_text().replace("peak_rate = 3e-4", "peak_rate = 50.0").replace("0.01", "0.9"))
    with pytest.raises(CommandError, match=r"units respond to any photograph"):
        call_command("train", *asked[:3], str(doomed), *asked[4:], "--run", str(tmp_path / "run"))
