"""What training made and what the engine serves are one network."""

import numpy as np
import pytest

from mlmodel.engine import Engine
from mlmodel.training.recipe import RecipeError, recipe_from
from mlmodel.training.runs import RunDirectory, RunError
from mlmodel.training.sampling import drawn_mix

from .ham10000_like import SAMPLES

pytestmark = pytest.mark.slow

LABELS = np.repeat(np.arange(7), [3, 5, 11, 1, 11, 67, 2])
RECIPE = {
    "about": "A test.",
    "architecture": "xception",
    "start": "random",
    "pooled_stages": ["block12", "block13", "block14"],
    "normalise_pools": True,
    "hidden_units": 16,
    "sampling": "square-root",
    "phases": [{"side": 96, "epochs": 1, "peak_rate": 1e-3, "final_rate": 1e-3}],
}


@pytest.fixture(scope="module")
def tensorflow():
    return pytest.importorskip("tensorflow", reason="training's libraries are not installed")


@pytest.mark.parametrize("loss", ["cross-entropy", "class-balanced", "logit-adjusted"])
def test_engine_and_head_say_what_the_trained_network_says(tensorflow, tmp_path, loss):
    import keras
    from PIL import Image

    from mlmodel.training.backbone import export_backbone
    from mlmodel.training.trained import base_of, head_of, load_trained

    recipe = recipe_from("test", {**RECIPE, "loss": loss})
    run = _run_with_random_weights(recipe, tmp_path / "run")
    _, network = load_trained(run)
    export_backbone(tmp_path / "backbone.onnx", base_of(network), side=96, detail=80)
    engine = Engine(tmp_path / "backbone.onnx")
    assert (engine.input_side, engine.detail_side) == (96, 80)

    pixels = np.stack([engine.prepare(np.asarray(Image.open(path))) for path in sorted(SAMPLES.glob("*.jpg"))[:4]])
    expected = np.asarray(network(pixels.astype(np.float32), training=False))
    natural = np.log(drawn_mix(LABELS, sampling="every-image"))
    held = 0.0 if loss != "cross-entropy" else np.log(drawn_mix(LABELS, sampling="square-root"))
    found = head_of(recipe, network, trained_labels=LABELS).logits(engine.run(pixels).features)

    # Weights are stored in half precision: three digits.
    assert np.allclose(found, expected + natural - held, rtol=0.02, atol=0.02 * np.abs(expected).max())
    keras.backend.clear_session()


def test_teachers_answer_for_the_class_mix_that_the_learner_is_shown(tensorflow, tmp_path):
    from mlmodel.training.teachers import Teachers
    from mlmodel.training.trained import load_trained

    natural, even = (
        recipe_from(name, {**RECIPE, "sampling": "every-image", "loss": loss})
        for name, loss in (("natural", "cross-entropy"), ("even", "logit-adjusted"))
    )
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    said = []
    for recipe in (natural, even):
        run = _run_with_random_weights(recipe, tmp_path / recipe.name)
        logits = np.asarray(load_trained(run)[1](pixels.astype(np.float32), training=False)).astype(np.float64)
        mix = np.bincount(LABELS) / len(LABELS)
        square_root = np.sqrt(mix) / np.sqrt(mix).sum()
        powers = np.exp(logits - logits.max()) * square_root / (mix if recipe is natural else 1.0)
        said.append(powers / powers.sum(axis=1, keepdims=True))

    learner = recipe_from("learner", {**RECIPE, "teachers": ["natural", "even"], "teaching_share": 0.5})
    teachers = Teachers.of(learner, LABELS, beside=RunDirectory(tmp_path / "learner"))

    assert teachers is not None
    assert teachers.probabilities(pixels) == pytest.approx(np.mean(said, axis=0), abs=1e-5)

    other = recipe_from("other", {**RECIPE, "teachers": ["even"], "teaching_share": 0.5, "preparation": "median"})
    with pytest.raises(RecipeError, match="it knows or sees other things"):
        Teachers.of(other, LABELS, beside=RunDirectory(tmp_path / "other"))


def test_a_network_of_three_classes_cannot_be_served(tensorflow, tmp_path):
    from mlmodel.training.networks import build_network
    from mlmodel.training.trained import head_of

    recipe = recipe_from("test", {**RECIPE, "classes": ["bcc", "mel", "nv"]})
    with pytest.raises(RunError, match="seven classes"):
        head_of(recipe, build_network(recipe), trained_labels=LABELS)


@pytest.mark.parametrize(("start", "frozen_below"), [("head", None), ("block4", "block4"), ("everything", "block1")])
def test_only_what_a_phase_names_learns(tensorflow, start, frozen_below):
    import keras

    from mlmodel.training.networks import build_network, set_trainable_from

    network = build_network(recipe_from("test", RECIPE))
    for _ in range(2):  # in whatever order phases come
        set_trainable_from(network, "everything")
        set_trainable_from(network, start)
    base = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    learning = {variable.path for variable in network.trainable_variables}
    assert any("head_hidden" in path for path in learning)
    blocks = {layer.name.split("_")[0] for layer in base.layers if layer.trainable and layer.trainable_variables}
    numbered = {int(name.removeprefix("block")) for name in blocks if name.startswith("block")}
    if frozen_below is None:
        assert not blocks
        assert len(learning) == 4
    else:
        assert numbered == set(range(int(frozen_below.removeprefix("block")), 15))


def _run_with_random_weights(recipe, folder) -> RunDirectory:
    """A run that has ended, with batch normalisation that has seen something."""
    from mlmodel.training.networks import build_network

    network = build_network(recipe)
    generator = np.random.default_rng(5)
    weights = [
        value * generator.uniform(0.8, 1.2, value.shape).astype(np.float32) + (0.01 if value.ndim == 1 else 0.0)
        for value in network.get_weights()
    ]
    run = RunDirectory(folder)
    run.start({"recipe": recipe.as_dict(), "data": ""})
    run.save_weights({f"{n:04}": value for n, value in enumerate(weights)})
    return run
