"""Recipes say what they do, and nothing that cannot be done; order and changes follow from the seed alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlmodel.datasets.dataset import DatasetError
from mlmodel.metrics.class_mixes import drawn_mix
from mlmodel.training.augmentation import changed
from mlmodel.training.feed import Kept, batches
from mlmodel.training.preparation import prepared, shades_of_grey, without_hair
from mlmodel.training.recipe import RecipeError, load_recipe, recipe_from, recipe_names
from mlmodel.training.sampling import epoch_order
from tests.mlmodel.ham10000_like import SAMPLES

PHASE = {"side": 256, "epochs": 1, "peak_rate": 1e-3, "final_rate": 1e-3}
MINIMAL = {"about": "A test.", "architecture": "cnn8", "phases": [PHASE]}


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_can_be_read_and_goes_through_a_runs_configuration_unchanged(name):
    recipe = load_recipe(name)
    assert recipe.about.endswith(".")
    assert recipe_from(name, recipe.as_dict()) == recipe


def test_the_founding_papers_recipe_is_to_the_letter():
    recipe = load_recipe("paper-xception")
    phase = recipe.phases[0]
    assert (recipe.hidden_units, recipe.dropout, recipe.optimizer, recipe.batch_size) == (1024, 0.5, "adam", 32)
    assert (phase.side, phase.epochs, phase.peak_rate, phase.final_rate) == (299, 10, 1e-4, 1e-4)
    assert (phase.trainable_from, recipe.scaling, recipe.split, recipe.loss) == (
        "head", "0..1", "by-image", "cross-entropy",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"phases": []}, "has no phases"),
        ({"architecture": "resnet"}, "architecture is “resnet”; it must be xception, vgg16, cnn8"),
        ({"precision": "float16"}, "precision is “float16”; it must be float32, bfloat16"),
        (
            {"precision": "bfloat16", "phases": [{**PHASE, "trainable_from": "head"}]},
            "always computed in float32",
        ),
        ({"loss": "focal"}, "it must be cross-entropy, class-balanced, logit-adjusted"),
        ({"colour": "blue"}, "unknown entries: colour"),
        ({"classes": ["mel", "scc"]}, "not among the seven: scc"),
        ({"phases": [{"side": 256}]}, "lacks epochs, final_rate, peak_rate"),
        ({"phases": [{**PHASE, "side": 8}]}, "invalid phase"),
        ({"phases": [{**PHASE, "epochs": 0}]}, "invalid phase"),
        ({"phases": [{**PHASE, "final_rate": 1.0}]}, "invalid phase"),
        ({"phases": [{**PHASE, "mixup": -0.1}]}, "invalid phase"),
        ({"phases": [{**PHASE, "trainable_from": "block6"}]}, "trainable_from must be everything, head, block3"),
        ({"phases": [{**PHASE, "renewed_from": "block14"}]}, "renewed_from must be, for an xception, block3"),
        ({"architecture": "xception", "phases": [{**PHASE, "renewed_from": "head"}]}, "renewed_from must be"),
        ({"teachers": ["one"]}, "must be given together"),
        ({"teaching_share": 0.5}, "must be given together"),
        ({"taught_sources": ["HAM10000"]}, "taught_sources need teachers"),
        ({"teachers": ["one"], "teaching_share": 1.5}, "at most 1"),
        (
            {"teachers": ["one"], "teaching_share": 1.0, "phases": [{**PHASE, "trainable_from": "head"}]},
            "teachers need photographs",
        ),
    ],
)
def test_a_recipe_that_cannot_be_done_says_why(values, message):
    with pytest.raises(RecipeError, match=message):
        recipe_from("mine", {**MINIMAL, **values})


def test_a_recipe_that_is_not_there_names_those_that_are():
    with pytest.raises(RecipeError, match=r"Available recipes: .*paper-xception"):
        load_recipe("nothing")


def test_a_recipe_that_is_not_toml_says_so(tmp_path):
    (tmp_path / "mine.toml").write_text("about = ")
    with pytest.raises(RecipeError, match=r"mine\.toml is not TOML"):
        load_recipe(str(tmp_path / "mine.toml"))


@given(
    st.tuples(*[st.integers(1, 30)] * 3),
    st.tuples(*[st.integers(0, 30)] * 3),
    st.integers(0, 2**31),
    st.integers(0, 50),
    st.sampled_from(["every-image", "square-root"]),
)
def test_an_epochs_order_follows_from_seed_and_epoch_and_shows_each_class_its_share(
    sharp, soft, seed, epoch, sampling
):
    labels = np.repeat([0, 1, 2, 0, 1, 2], [*sharp, *soft])
    sources = np.repeat(["sharp", "soft"], [sum(sharp), sum(soft)])
    order = epoch_order(labels, sources, sampling=sampling, seed=seed, epoch=epoch)

    assert np.array_equal(order, epoch_order(labels, sources, sampling=sampling, seed=seed, epoch=epoch))
    shown = np.bincount(labels[order], minlength=3) / len(labels)
    assert np.allclose(shown, drawn_mix(labels, sampling=sampling), atol=0.51 / len(labels))
    if sampling == "every-image":
        assert sorted(order) == list(range(len(labels)))


def test_softness_says_nothing_of_the_class_among_what_is_drawn():
    labels = np.repeat([0, 1], [800, 200])
    sources = np.where(np.arange(1000) % 10 < np.where(labels == 0, 8, 3), "sharp", "soft")
    order = epoch_order(labels, sources, sampling="square-root", seed=1, epoch=0)
    for label in (0, 1):
        assert (sources[order][labels[order] == label] == "sharp").mean() == pytest.approx(0.6, abs=0.01)


def test_a_batch_shows_the_same_pictures_whether_the_run_began_there_or_not():
    paths = sorted(SAMPLES.glob("*.jpg"))[:6]
    whole, resumed = (
        list(
            batches(
                paths,
                np.array([3, 1, 4, 0, 5]),
                side=64,
                kind="dermatoscope",
                chance=(7, 3),
                batch_size=2,
                first=first,
            )
        )
        for first in (0, 1)
    )
    assert [len(rows) for _, rows in whole] == [2, 2, 1]
    assert len(resumed) == 2
    for (pixels, rows), (pixels_again, rows_again) in zip(whole[1:], resumed, strict=True):
        assert np.array_equal(rows, rows_again)
        assert np.array_equal(pixels, pixels_again)


def test_what_no_chance_changes_is_read_once_and_what_it_changes_every_time(tmp_path):
    paths = [tmp_path / path.name for path in sorted(SAMPLES.glob("*.jpg"))[:3]]
    for path in paths:
        (tmp_path / path.name).write_bytes((SAMPLES / path.name).read_bytes())
    kept: Kept = {}

    def shown(order, kind):
        asked = batches(
            paths, np.array(order), side=48, kind=kind, preparation="median", chance=(1, 2), batch_size=2, kept=kept
        )
        return np.concatenate([pixels for pixels, _ in asked])

    changed_once, first = shown([0, 1, 2], "dermatoscope"), shown([0, 1, 2], "none")
    assert len(kept) == 3
    assert np.array_equal(shown([0, 1, 2], "dermatoscope"), changed_once), "keeping does not reach what chance changes"
    for path in paths:
        path.unlink()
    assert np.array_equal(shown([2, 0, 1], "none"), first[[2, 0, 1]])
    with pytest.raises(DatasetError, match="No such file"):
        shown([0], "dermatoscope")


@pytest.mark.parametrize("kind", ["dermatoscope", "paper"])
def test_two_changes_of_a_photograph_differ_and_stay_pictures_of_it(photograph_pixels, kind):
    first, second = (
        changed(photograph_pixels, side=96, kind=kind, generator=np.random.default_rng(seed)) for seed in (1, 2)
    )
    assert first.shape == second.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, second)
    for found in (first, second):
        assert np.abs(found.mean(axis=(0, 1)) - photograph_pixels.mean(axis=(0, 1))).max() < 60


def test_shades_of_grey_takes_a_colour_cast_off(photograph_pixels):
    cast = np.clip(photograph_pixels * np.array([1.0, 0.85, 0.7]), 0, 255).astype(np.uint8)
    before = np.abs(_hue(cast) - _hue(photograph_pixels)).max()
    after = np.abs(_hue(shades_of_grey(cast)) - _hue(shades_of_grey(photograph_pixels))).max()
    assert after < before / 5


def test_hair_is_painted_over_and_the_rest_left_alone(photograph_pixels):
    skin = np.full((120, 120, 3), (200, 160, 140), np.uint8)
    hairy = skin.copy()
    hairy[:, 60:62] = (40, 30, 20)
    hairy[30:32, :] = (40, 30, 20)
    assert np.abs(without_hair(hairy).astype(int) - skin).max() <= 2
    assert np.array_equal(without_hair(skin), skin)
    # A lesion is no hair: it is dark, but wide.
    lesion = skin.copy()
    lesion[40:80, 40:80] = (80, 50, 40)
    assert (without_hair(lesion) != lesion).any(axis=2).sum() < 0.02 * 40 * 40


@pytest.mark.parametrize("kind", ["none", "shades-of-grey", "median", "hair-removal"])
def test_a_preparation_keeps_size_and_type(photograph_pixels, kind):
    found = prepared(photograph_pixels, kind)
    assert found.shape == photograph_pixels.shape
    assert found.dtype == np.uint8


def _hue(pixels: np.ndarray) -> np.ndarray:
    """The share of each channel in the picture's light."""
    light = pixels.astype(float).mean(axis=(0, 1))
    return light / light.sum()
