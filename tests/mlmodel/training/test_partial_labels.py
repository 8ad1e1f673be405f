"""Several clinics in one training: partial labels, each source's own class mix, and changes that hide the clinic."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mlmodel.metrics.class_mixes import log_priors
from mlmodel.metrics.partial_labels import LABELS, POSSIBLE
from mlmodel.taxonomy import CODES
from mlmodel.training.other_clinics import at_another_clinic, inside_the_circle
from mlmodel.training.recipe import RecipeError, recipe_from
from mlmodel.training.sampling import epoch_order
from mlmodel.training.validation import validation_figures
from tests.mlmodel.training.test_recipes import MINIMAL, PHASE

MEL, NV, BENIGN, SCC = (LABELS.index(label) for label in ("mel", "nv", "benign", "scc"))


def test_benign_is_any_benign_class_and_squamous_cell_carcinoma_any_malignant_one():
    assert [code for code, possible in zip(CODES, POSSIBLE[BENIGN], strict=True) if possible] == [
        "bkl", "df", "nv", "vasc",
    ]  # fmt: skip
    assert [code for code, possible in zip(CODES, POSSIBLE[SCC], strict=True) if possible] == ["akiec", "bcc", "mel"]
    assert POSSIBLE[: len(CODES)].tolist() == np.eye(len(CODES), dtype=bool).tolist()


def test_each_source_has_its_own_class_mix():
    labels = np.array([MEL] * 10 + [NV] * 90 + [MEL] * 50 + [BENIGN] * 50)
    sources = np.repeat(["home", "other"], 100)
    names, priors = log_priors(labels, POSSIBLE[labels], sources, sampling="every-image")

    assert names == ("home", "other")
    mixes = np.exp(priors)
    assert mixes.sum(axis=1) == pytest.approx(1.0)
    mel, nv = CODES.index("mel"), CODES.index("nv")
    assert mixes[0, [mel, nv]] == pytest.approx([0.1, 0.9], abs=0.05)
    assert mixes[1, mel] == pytest.approx(0.5, abs=0.05)
    # What is just benign is, as far as exact labels tell, nearly always a nevus.
    assert mixes[1, nv] == pytest.approx(0.5 * 90 / 93, abs=0.05)
    assert (mixes > 0).all(), "what a source never shows stays possible there"
    assert mixes[0, CODES.index("df")] < 0.01


def test_a_phase_may_show_a_part_of_the_small_copies_and_another_one_each_epoch(dataset_of):
    from mlmodel.training.shown_cases import ShownCases

    dataset = dataset_of(np.tile(np.arange(7), 60), ["home"] * 210 + ["other"] * 210)
    dataset = replace(dataset, copies=np.repeat(["sharp", "small"], 210))
    recipe = recipe_from("mine", {**MINIMAL, "phases": [{**PHASE, "small_share": 0.25}]})
    shown = ShownCases.of(dataset, np.arange(420), recipe)
    first, again, second = (
        shown.order(recipe.phases[0], sampling="every-image", seed=1, epoch=epoch) for epoch in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    small = [set(order[order >= 210].tolist()) for order in (first, second)]
    assert all(30 < len(rows) < 75 for rows in small)
    assert small[0] != small[1]
    assert all(set(order[order < 210].tolist()) == set(range(210)) for order in (first, second))


def test_what_a_source_never_shows_gets_the_share_that_is_asked_for():
    labels = np.array([MEL] * 10 + [NV] * 30 + list(range(7)) * 5)
    sources = np.repeat(["two kinds", "all seven"], [40, 35])
    names, priors = log_priors(labels, POSSIBLE[labels], sources, sampling="every-image", unseen_share=0.05)
    mixes = dict(zip(names, np.exp(priors), strict=True))
    assert mixes["all seven"] == pytest.approx(np.full(7, 1 / 7))
    expected = np.full(7, 0.05)
    expected[[CODES.index("mel"), CODES.index("nv")]] = [0.75 / 4, 0.75 * 3 / 4]
    assert mixes["two kinds"] == pytest.approx(expected)


def test_each_source_keeps_its_share_of_an_epoch():
    labels = np.array([MEL] * 10 + [NV] * 90 + [MEL] * 30 + [NV] * 10)
    sources = np.repeat(["home", "other"], [100, 40])
    order = epoch_order(labels, np.full(140, "sharp"), sources, sampling="square-root", seed=1, epoch=0)
    assert (sources[order] == "home").sum() == 100
    at_home = labels[order][sources[order] == "home"]
    assert (at_home == MEL).sum() == pytest.approx(100 * 10**0.5 / (10**0.5 + 90**0.5), abs=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"phases": [{**PHASE, "layer_decay": 0.7}]}, "need an xception with adamw"),
        ({"phases": [{**PHASE, "head_rate": 1e-3}]}, "need an xception with adamw"),
        ({"phases": [{**PHASE, "layer_decay": 0.0}]}, "invalid phase"),
        ({"phases": [{**PHASE, "left_out": ["blurred"]}]}, "left_out must be among sharp, soft"),
        ({"phases": [{**PHASE, "small_share": 0.0}]}, "small_share must be above 0"),
        ({"phases": [{**PHASE, "unseen_share": 0.2}]}, "unseen_share must be from 0"),
        ({"phases": [{**PHASE, "unseen_share": -0.1}]}, "unseen_share must be from 0"),
        ({"proof_weights": {"guess": 1.0}}, "proof_weights must be among histo"),
        ({"proof_weights": {"histo": 0.0}}, "numbers above 0"),
        ({"cutmix": -1.0}, "must be 0 or more"),
    ],
)
def test_a_recipe_that_cannot_be_done_says_why(values, message):
    with pytest.raises(RecipeError, match=message):
        recipe_from("mine", {**MINIMAL, **values})


def test_what_is_watched_is_told_by_source(dataset_of):
    generator = np.random.default_rng(0)
    exact = np.repeat(np.arange(7), 12)
    labels = np.concatenate([exact, [MEL] * 20, [BENIGN] * 20])
    logits = generator.normal(0, 0.1, (len(labels), 7)).astype(np.float32)
    logits[np.arange(84), exact] += 5.0
    logits[84:104, CODES.index("mel")] += 3.0
    logits[104:, CODES.index("bkl")] += 3.0
    figures = validation_figures(
        logits,
        dataset_of(labels, ["HAM10000"] * 84 + ["ISIC 2020"] * 40),
        classes=CODES,
        trained=exact,
        held=np.zeros(7),
        log_priors={"ISIC 2020": np.log(np.full(7, 1 / 7))},
    )

    assert figures["watched_balanced_accuracy"] == 1.0
    assert figures["melanoma_auc_isic_2020"] == figures["malignant_auc_isic_2020"] == 1.0
    # Any benign class will do: nearly nothing is lost where the label does not say which.
    assert figures["loss_isic_2020"] < 0.3
    assert "balanced_accuracy_isic_2020" not in figures, "of one class alone there is nothing to balance"


@pytest.mark.parametrize("seed", range(4))
def test_changes_are_made_by_chance_alone_and_keep_the_lesion_in_sight(photograph_pixels, seed):
    first, again = (at_another_clinic(photograph_pixels, 96, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert not np.array_equal(first, at_another_clinic(photograph_pixels, 96, np.random.default_rng(seed + 100)))
    assert first.std() > 3


def test_a_picture_of_any_size_is_brought_to_any_other(photograph_pixels):
    """Of a turned crop that is reduced by more than half, what would alias is smoothed first."""
    full = np.asarray(Image.fromarray(photograph_pixels).resize((256, 256)))
    for seed in range(30):
        for side in (48, 96, 224):
            assert at_another_clinic(full, side, np.random.default_rng(seed)).shape == (side, side, 3)


def test_a_black_circle_is_cropped_away_and_nothing_else_is(photograph_pixels):
    side = photograph_pixels.shape[0]
    rows, columns = np.ogrid[:side, :side]
    distance = np.hypot(rows - (side - 1) / 2, columns - (side - 1) / 2)
    for radius in (0.36, 0.45, 0.5):
        circled = np.where((distance < radius * side)[..., None], photograph_pixels, 0).astype(np.uint8)
        inside = inside_the_circle(circled)
        assert (inside.max(axis=2) == 0).mean() < 0.02
        assert inside.shape[0] >= min(radius * 1.3, 1.0) * side * 0.9
    assert inside_the_circle(photograph_pixels) is photograph_pixels
    dark_lesion = photograph_pixels.copy()
    dark_lesion[side // 4 : -side // 4, side // 4 : -side // 4] = 5
    assert inside_the_circle(dark_lesion) is dark_lesion


@pytest.fixture
def dataset_of():
    from pathlib import Path

    from mlmodel.datasets.dataset import Dataset

    def made(labels, sources):
        count = len(labels)
        return Dataset(
            paths=tuple(Path(f"{n}.jpg") for n in range(count)),
            labels=np.asarray(labels),
            lesions=np.arange(count).astype(str),
            copies=np.full(count, "sharp"),
            folds=np.full(count, 7),
            sources=np.asarray(sources),
            proofs=np.full(count, "histo"),
        )

    return made
