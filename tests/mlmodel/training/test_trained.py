"""What training made and what the engine serves are one network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlmodel.metrics.class_mixes import drawn_mix
from mlmodel.network.engine import Engine
from mlmodel.network.head import Head
from mlmodel.network.stages import stage_slice
from mlmodel.pictures.picture import decode
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED
from mlmodel.taxonomy import CODES
from mlmodel.training.recipe import RecipeError, load_recipe, recipe_from, recipe_names
from mlmodel.training.run_folder import RunDirectory, RunError
from tests.mlmodel.ham10000_like import SAMPLES

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


PHASE_256 = {"side": 256, "epochs": 1, "peak_rate": 1e-3, "final_rate": 1e-3}
# The same of another architecture, which is built in a moment.
CNN8 = {**RECIPE, "architecture": "cnn8", "pooled_stages": [], "normalise_pools": False, "phases": [PHASE_256]}


@pytest.fixture(scope="module")
def tensorflow():
    return pytest.importorskip("tensorflow", reason="training's libraries are not installed")


@pytest.fixture(scope="module")
def trained(tensorflow, tmp_path_factory) -> Any:
    """An Xception as its run left it."""
    from mlmodel.training.trained import load_trained

    return load_trained(_run_with_random_weights(recipe_from("test", RECIPE), tmp_path_factory.mktemp("run")))[1]


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory) -> Path:
    """The file that the engine serves of it."""
    from mlmodel.training.architectures import base_of
    from mlmodel.training.backbone import export_backbone

    path: Path = tmp_path_factory.mktemp("exported") / "backbone.onnx"
    export_backbone(path, base_of(trained), side=96, detail=80)
    return path


def test_engine_and_head_say_what_the_trained_network_says(trained, exported):
    from mlmodel.training.trained import head_of

    recipe, network, engine = recipe_from("test", RECIPE), trained, Engine(exported)
    assert (engine.input_side, engine.detail_side) == (96, 80)

    pixels = np.stack([engine.prepare(np.asarray(Image.open(path))) for path in sorted(SAMPLES.glob("*.jpg"))[:4]])
    expected = np.asarray(network(pixels.astype(np.float32), training=False))
    natural = np.log(drawn_mix(LABELS, sampling="every-image"))
    features = engine.run(pixels).features
    for loss in ("cross-entropy", "class-balanced", "logit-adjusted"):
        held = 0.0 if loss != "cross-entropy" else np.log(drawn_mix(LABELS, sampling="square-root"))
        found = head_of(replace(recipe, loss=loss), network, trained_labels=LABELS).logits(features)

        # Weights are stored in half precision: three digits.
        assert np.allclose(found, expected + natural - held, rtol=0.02, atol=0.02 * np.abs(expected).max()), loss


def test_mirror_images_are_averaged_in_features_and_maps_alike(trained, exported, tmp_path):
    from mlmodel.training.architectures import base_of
    from mlmodel.training.backbone import export_backbone
    from research.backbone_file import write_with_maps

    export_backbone(tmp_path / "mirrored.onnx", base_of(trained), side=96, detail=80, mirrored=True)
    write_with_maps(tmp_path / "mirrored.onnx", tmp_path / "more.onnx", ["block8", "block14"])
    once = Engine(exported)
    mirrored, more = (Engine(tmp_path / f"{name}.onnx") for name in ("mirrored", "more"))
    assert (once.views, mirrored.views, mirrored.detail_side) == (1, 4, 80)
    assert more.mapped_stages == ("block8", "block14")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)

    mirrors = [lambda v: v, lambda v: v[:, :, ::-1], lambda v: v[:, ::-1], lambda v: v[:, ::-1, ::-1]]
    looks = [once.run(np.ascontiguousarray(mirror(pixels)), maps=True) for mirror in mirrors]
    found, as_more = mirrored.run(pixels, maps=True), more.run(pixels, maps=True)

    features = np.mean([look.features for look in looks], axis=0)
    assert found.features == pytest.approx(features, rel=1e-4, abs=1e-5)
    assert as_more.features == pytest.approx(features, rel=1e-4, abs=1e-5)
    for stage, values in found.maps.items():
        maps = np.mean([mirror(look.maps[stage]) for mirror, look in zip(mirrors, looks, strict=True)], axis=0)
        assert values == pytest.approx(maps, rel=1e-4, abs=1e-5)
        assert np.abs(maps - looks[0].maps[stage]).max() > 0.01 * np.abs(maps).max(), "the views differ"
    # A heat map explains what was read: the features are the means of its maps.
    pooled = as_more.maps["block8"].mean(axis=(1, 2))
    assert pooled == pytest.approx(as_more.features[:, stage_slice("block8")], rel=1e-4, abs=1e-5)


def test_teachers_answer_for_the_class_mix_that_the_learner_is_shown(tensorflow, tmp_path):
    from mlmodel.training.teachers import Teachers
    from mlmodel.training.trained import load_trained

    natural, even = (
        recipe_from(name, {**CNN8, "sampling": "every-image", "loss": loss})
        for name, loss in (("natural", "cross-entropy"), ("even", "logit-adjusted"))
    )
    pixels = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
    said = []
    for recipe in (natural, even):
        run = _run_with_random_weights(recipe, tmp_path / recipe.name)
        logits = np.asarray(load_trained(run)[1](pixels.astype(np.float32), training=False)).astype(np.float64)
        mix = np.bincount(LABELS) / len(LABELS)
        square_root = np.sqrt(mix) / np.sqrt(mix).sum()
        powers = np.exp(logits - logits.max()) * square_root / (mix if recipe is natural else 1.0)
        said.append(powers / powers.sum(axis=1, keepdims=True))

    learner = recipe_from("learner", {**CNN8, "teachers": ["natural", "even"], "teaching_share": 0.5})
    teachers = Teachers.of(learner, LABELS, beside=RunDirectory(tmp_path / "learner"))

    assert teachers is not None
    priors = np.tile(np.log(square_root), (2, 1)).astype(np.float32)
    assert teachers.probabilities(pixels, priors) == pytest.approx(np.mean(said, axis=0), abs=1e-5)

    other = recipe_from("other", {**CNN8, "teachers": ["even"], "teaching_share": 0.5, "preparation": "median"})
    with pytest.raises(RecipeError, match="it has other classes"):
        Teachers.of(other, LABELS, beside=RunDirectory(tmp_path / "other"))


def test_a_release_teaches_the_sources_that_it_knows_and_no_others(tensorflow, tmp_path):
    from mlmodel.training.learner import Targets
    from mlmodel.training.teachers import Teachers

    (tmp_path / "released").symlink_to(SHIPPED)
    values = {**CNN8, "teachers": ["released"], "teaching_share": 0.5, "taught_sources": ["HAM10000"]}
    learner = recipe_from("learner", values)
    teachers = Teachers.of(learner, LABELS, beside=RunDirectory(tmp_path / "learner"))
    assert teachers is not None

    release = load_release(SHIPPED)
    engine, head = Engine(release.backbone), Head.load(release.head)
    name = next(SAMPLES.glob("*.jpg")).name
    pixels = np.stack([engine.prepare(decode((SAMPLES / name).read_bytes()).pixels)] * 2)
    mix = np.array([release.settings["class_mix"][code] for code in CODES])
    asked = teachers.ask(pixels, Targets.exact(np.array([4, 4]), mix), np.array(["HAM10000", "elsewhere"]), share=0.5)

    assert asked.teaching is not None
    assert asked.teaching.tolist() == [0.5, 0.0]
    logits = head.logits(engine.run(pixels[:1]).features)[0].astype(np.float64)
    powers = np.exp(logits - logits.max())
    # In the class mix of its own training photographs it says what it says when it serves, before calibration.
    assert asked.taught is not None
    assert asked.taught[0] == pytest.approx(powers / powers.sum(), abs=1e-5)


def test_a_renewed_block_is_as_it_was_at_the_start_and_not_yet_read(step_by_step, trained):
    from mlmodel.training.architectures import base_of
    from mlmodel.training.learner import Learner

    phase = {"side": 96, "epochs": 1, "peak_rate": 1e-3, "final_rate": 1e-3, "trainable_from": "block4"}
    recipe = recipe_from("test", {**RECIPE, "average": 0.9, "phases": [phase, {**phase, "renewed_from": "block14"}]})
    learner = Learner(recipe)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    learner.begin(recipe.phases[0], steps=2)
    started = {layer.name: layer.get_weights() for layer in base_of(learner.network).layers}
    learner.network.set_weights(trained.get_weights())
    learner.learn(pixels, _targets(np.array([4, 5])), chance=np.random.default_rng(1))
    learnt = {layer.name: layer.get_weights() for layer in base_of(learner.network).layers}

    learner.begin(recipe.phases[1], steps=2)

    for layer in base_of(learner.network).layers:
        source = started if layer.name.startswith("block14") else learnt
        if layer.name.startswith("block14") and "sepconv" in layer.name and source[layer.name]:
            # Random starts differ from one building to the next: the same spread, and no longer what was learnt.
            assert not np.array_equal(layer.get_weights()[0], learnt[layer.name][0])
            assert layer.get_weights()[0].std() == pytest.approx(source[layer.name][0].std(), abs=0.02)
        else:
            assert all(map(np.array_equal, layer.get_weights(), source[layer.name])), layer.name
    kernel = learner.network.get_layer("head_hidden").get_weights()[0]
    assert np.abs(kernel[:-2048]).min(axis=1).max() > 0
    assert not kernel[-2048:].any()
    current = learner.swap_in_average()
    assert all(map(np.array_equal, current, [weight.numpy() for weight in learner.network.weights]))


def test_a_step_in_half_the_digits_learns_the_same_and_keeps_whole_weights(tensorflow):
    import keras

    from mlmodel.training.learner import Learner

    pixels = np.random.default_rng(0).integers(0, 256, (4, 256, 256, 3), dtype=np.uint8)
    losses: dict[str, list[float]] = {}
    kept: list[np.ndarray] = []
    for precision in ("float32", "bfloat16"):
        recipe = recipe_from("test", {**CNN8, "dropout": 0.0, "precision": precision})
        learner = Learner(recipe)
        if kept:
            learner.network.set_weights(kept)
        kept = learner.network.get_weights()
        learner.begin(recipe.phases[0], steps=4)
        taken = [
            learner.learn(pixels, _targets(np.array([4, 5, 1, 4])), chance=np.random.default_rng(1)) for _ in range(4)
        ]
        losses[precision] = [loss for loss, _ in taken]
        assert {layer.compute_dtype for layer in learner.network.layers if layer.weights[1:]} >= {precision}
        assert {weight.dtype for weight in learner.network.weights} == {"float32"}
        assert learner.logits(pixels).dtype == np.float32

    # Eight bits of a number's digits leave three of its decimals; these four steps bring the loss down by far more.
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.03)
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"][0] - losses["bfloat16"][-1] > 0.1
    assert keras.config.dtype_policy().name == "float32", "what is built next computes as ever"


def test_a_step_whose_loss_is_no_number_is_left_out(step_by_step):
    from dataclasses import replace

    from mlmodel.training.learner import Learner

    phase = {"side": 96, "epochs": 1, "peak_rate": 1e-3, "final_rate": 1e-3, "trainable_from": "block14"}
    recipe = recipe_from("test", {**RECIPE, "average": 0.9, "phases": [phase]})
    pixels = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    targets, chance = _targets(np.array([4, 5, 1, 4])), np.random.default_rng(1)
    learner = Learner(recipe)
    learner.begin(recipe.phases[0], steps=4)
    learner.learn(pixels, targets, chance=chance)
    before = learner.state()
    broken = np.where(np.arange(4) == 1, np.nan, 1).astype(np.float32)

    loss, _right = learner.learn(pixels, replace(targets, weights=broken), chance=chance)

    assert np.isnan(loss)
    assert any("moving" in weight.path for weight in learner.network.weights), "which seeing a batch would move"
    after = learner.state()
    paths = {f"network-{n:04}": variable.path for n, variable in enumerate(learner.network.variables)}
    different = [paths.get(name, name) for name in before if not np.array_equal(before[name], after[name])]
    assert all("seed" in name for name in different), (
        "dropout has drawn once more; nothing that was learnt has changed"
    )
    assert np.isfinite(learner.learn(pixels, targets, chance=chance)[0])
    assert any(not np.array_equal(after[name], value) for name, value in learner.state().items())


def test_photographs_are_mixed_in_the_phase_that_says_so(step_by_step):
    from mlmodel.training.learner import Learner

    phase = {"side": 96, "epochs": 1, "peak_rate": 1e-9, "final_rate": 1e-9, "trainable_from": "block14"}
    recipe = recipe_from("test", {**RECIPE, "dropout": 0.0, "phases": [phase, {**phase, "mixup": 0.5}]})
    learner = Learner(recipe)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    losses = []
    for number in (0, 0, 1):
        learner.begin(recipe.phases[number], steps=1)
        losses.append(learner.learn(pixels, _targets(np.array([0, 2, 4, 5])), chance=np.random.default_rng(1))[0])

    # At such a rate a step hardly changes the network: what differs is what it was shown.
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert abs(losses[2] - losses[1]) > 1e-3


def test_each_block_learns_slower_than_the_one_after_it_and_the_head_at_its_own_rate(tensorflow):
    from mlmodel.training.layer_rates import layer_factors
    from mlmodel.training.learner import Learner

    phase = {"side": 96, "epochs": 1, "peak_rate": 1e-4, "final_rate": 1e-4, "layer_decay": 0.5, "head_rate": 1e-3}
    recipe = recipe_from("test", {**RECIPE, "optimizer": "adamw", "weight_decay": 0.05, "phases": [phase]})
    learner = Learner(recipe)
    factors = layer_factors(learner.network, recipe.phases[0])
    assert factors["head_hidden/kernel"] == pytest.approx(10)
    expected = {
        "block14": 1.0,
        "block13": 0.5,
        "block12": 0.25,
        "block3": 0.5**11,
        "block2": 0.5**12,
        "block1": 0.5**12,
    }
    for block, factor in expected.items():
        assert {found for path, found in factors.items() if path.startswith(f"{block}_")} == {factor}
    assert len(factors) == len(learner.network.weights)

    learner.begin(recipe.phases[0], steps=1)
    before = {weight.path: weight.numpy().copy() for weight in learner.network.trainable_variables}
    pixels = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    learner.learn(pixels, _targets(np.array([0, 2, 4, 5])), chance=np.random.default_rng(1))
    moved = {
        weight.path: np.abs(weight.numpy() - before[weight.path]).max()
        for weight in learner.network.trainable_variables
        if "gamma" in weight.path
    }
    # Adam's first step is as long as the rate, whatever the gradient; gamma is spared by the decay.
    for block, factor in expected.items():
        steps = [step for path, step in moved.items() if path.startswith(f"{block}_")]
        assert max(steps) == pytest.approx(1e-4 * factor, rel=0.05, abs=1.2e-7), "single precision about 1"


def test_a_partial_label_is_content_with_any_class_it_leaves_possible(tensorflow):
    import tensorflow as tf

    from mlmodel.metrics.partial_labels import LABELS as ALL
    from mlmodel.metrics.partial_labels import POSSIBLE
    from mlmodel.training.learner import Learner

    learner = Learner(recipe_from("test", {**CNN8, "loss": "logit-adjusted"}))
    logits = tf.constant(np.random.default_rng(0).normal(0, 2, (3, 7)).astype(np.float32))
    priors = np.log(np.random.default_rng(1).dirichlet(np.ones(7), 3)).astype(np.float32)
    labels = [ALL.index("benign"), ALL.index("scc"), ALL.index("mel")]
    possible = POSSIBLE[labels].astype(np.float32)
    weights = np.array([1.0, 2.0, 1.0], dtype=np.float32)

    found = learner._losses(logits, possible, priors, weights, possible, np.zeros(3, np.float32)).numpy()

    adjusted = logits.numpy() + priors
    probabilities = np.exp(adjusted) / np.exp(adjusted).sum(axis=1, keepdims=True)
    assert found == pytest.approx(-weights * np.log((probabilities * possible).sum(axis=1)), rel=1e-4)


def test_pasted_patches_keep_the_share_of_each_photograph(tensorflow):
    from mlmodel.training.learner import Learner

    recipe = recipe_from("test", {**CNN8, "cutmix": 1.0})
    learner = Learner(recipe)
    learner.begin(recipe.phases[0], steps=1)
    pixels = np.zeros((2, 256, 256, 3), dtype=np.uint8)
    shares = [learner._own_share(pixels, np.random.default_rng(seed)) for seed in range(30)]
    assert {values for kept in shares for values in np.unique(kept).tolist()} == {0.0, 1.0}
    assert np.std([kept.mean() for kept in shares]) > 0.15
    loss, right = learner.learn(pixels, _targets(np.array([4, 5])), chance=np.random.default_rng(1))
    assert np.isfinite(loss)
    assert 0 <= right <= 1


def test_settled_statistics_are_those_of_what_was_seen(step_by_step):
    from mlmodel.training.architectures import split_at_features
    from mlmodel.training.learner import Learner

    phase = {"side": 96, "epochs": 1, "peak_rate": 1e-3, "final_rate": 1e-3, "trainable_from": "block13"}
    recipe = recipe_from("test", {**RECIPE, "batch_norm_momentum": 0.5, "phases": [phase]})
    learner = Learner(recipe)
    learner.begin(recipe.phases[0], steps=1)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    before = [weight.numpy().copy() for weight in learner.network.weights]

    learner.settle([pixels] * 20)

    moved = {
        weight.path
        for weight, earlier in zip(learner.network.weights, before, strict=True)
        if not np.array_equal(weight.numpy(), earlier)
    }
    assert moved
    assert all("moving" in path for path in moved)
    assert not any("block4_" in path for path in moved), "what does not learn keeps its statistics"
    # After 20 halvings of the distance, what inference sees is normalised as those photographs are.
    inside = learner.network.get_layer("head_norm")
    features = split_at_features(learner.network)[0](pixels.astype(np.float32), training=False)
    normalised = np.asarray(inside(features, training=False))
    assert np.abs(normalised.mean(axis=0)).max() < 0.2


def test_a_network_of_three_classes_cannot_be_served(tensorflow, tmp_path):
    from mlmodel.training.architectures import build_network
    from mlmodel.training.trained import head_of

    recipe = recipe_from("test", {**RECIPE, "classes": ["bcc", "mel", "nv"]})
    with pytest.raises(RunError, match="seven classes"):
        head_of(recipe, build_network(recipe), trained_labels=LABELS)


@pytest.mark.parametrize(("start", "frozen_below"), [("head", None), ("block4", "block4"), ("everything", "block1")])
def test_only_what_a_phase_names_learns(tensorflow, start, frozen_below):
    from mlmodel.training.architectures import base_of, build_network, set_trainable_from

    network = build_network(recipe_from("test", RECIPE))
    for _ in range(2):  # in whatever order phases come
        set_trainable_from(network, "everything")
        set_trainable_from(network, start)
    base = base_of(network)
    learning = {variable.path for variable in network.trainable_variables}
    assert any("head_hidden" in path for path in learning)
    blocks = {layer.name.split("_")[0] for layer in base.layers if layer.trainable and layer.trainable_variables}
    numbered = {int(name.removeprefix("block")) for name in blocks if name.startswith("block")}
    if frozen_below is None:
        assert not blocks
        assert len(learning) == 4
    else:
        assert numbered == set(range(int(frozen_below.removeprefix("block")), 15))


def _targets(labels):
    from mlmodel.training.learner import Targets

    return Targets.exact(labels, drawn_mix(LABELS, sampling="every-image"))


def _run_with_random_weights(recipe, folder) -> RunDirectory:
    """A run that has ended, with batch normalisation that has seen something."""
    from mlmodel.training.architectures import build_network

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


# To compile a base takes long: one recipe of those that share an architecture and its pools stands for all.
_ONE_OF_EACH_BASE = {
    (recipe.architecture, recipe.pooled_stages): recipe.name for recipe in map(load_recipe, recipe_names())
}.values()


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_makes_a_network_whose_base_says_the_same_in_the_engine(tensorflow, name):
    from mlmodel.training.architectures import build_network, split_at_features
    from mlmodel.training.base_engine import compiled_base

    recipe = load_recipe(name)
    network = build_network(recipe, start="random")
    side = recipe.phases[0].side if recipe.architecture == "cnn8" else 64
    pixels = np.random.default_rng(3).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    assert network(pixels.astype(np.float32)).shape == (2, len(recipe.classes))
    if name not in _ONE_OF_EACH_BASE:
        return

    base, _ = split_at_features(network)
    expected = np.asarray(base(pixels.astype(np.float32), training=False))
    # Sums of a few thousand products in another order: single precision's own error, relative to the largest.
    assert np.abs(compiled_base(base)(pixels) - expected).max() <= 1e-4 * np.abs(expected).max()
