"""Analysis from bytes to an answer, on the photographs in the repository."""

import csv
import threading
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlmodel.network.analyser import get_analyser
from mlmodel.network.engine import Engine
from mlmodel.network.quality import Verdict
from mlmodel.network.stages import FEATURE_COUNT
from mlmodel.network.tiers import OperatingPoint, OperatingPoints, Tier
from mlmodel.pictures.picture import Picture, decode
from mlmodel.releases.release import load_release
from mlmodel.taxonomy import CODES, MALIGNANT_CODES
from tests.conftest import PHOTOGRAPHS

SAMPLES = list(csv.DictReader((PHOTOGRAPHS / "labels.csv").read_text().splitlines()))


def analyse(name: str, **options):
    return get_analyser().analyse(decode((PHOTOGRAPHS / f"{name}.jpg").read_bytes()), **options)


def marked(number: int, sample: dict[str, str]) -> Any:
    """The sample as a parameter; all but the first three wait for a full run."""
    return pytest.param(sample, id=f"{sample['image']}-{sample['dx']}", marks=[pytest.mark.slow] if number > 2 else [])


@pytest.mark.parametrize("sample", [marked(number, sample) for number, sample in enumerate(SAMPLES)])
def test_every_sample_is_judged_and_adds_up(sample):
    found = analyse(sample["image"])

    assert found.quality.verdict is Verdict.ACCEPTED
    assert found.features.shape == (FEATURE_COUNT,)
    assessment = found.assessment
    assert assessment is not None
    assert list(assessment.probabilities) == list(CODES)
    assert sum(assessment.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert assessment.malignant_probability == pytest.approx(
        sum(assessment.probabilities[code] for code in MALIGNANT_CODES), abs=1e-6
    )
    ranked = sorted(assessment.prediction_set, key=lambda code: -assessment.probabilities[code])
    assert list(assessment.prediction_set) == ranked != []
    assert assessment.tier is get_analyser().operating_points.tier_of(assessment.malignant_probability)


@pytest.mark.slow
def test_malignant_samples_are_flagged_more_often_than_benign_ones():
    """Six malignant and six benign photographs; by chance the order would be right in half of the pairs."""
    mass = {sample["image"]: analyse(sample["image"]).assessment.malignant_probability for sample in SAMPLES}
    malignant = [mass[sample["image"]] for sample in SAMPLES if sample["dx"] in MALIGNANT_CODES]
    benign = [mass[sample["image"]] for sample in SAMPLES if sample["dx"] not in MALIGNANT_CODES]

    pairs = [(one > other) for one in malignant for other in benign]

    # The AUC on the held-out test set is over 0.9; a dozen photographs, some of them hard, are allowed to fall to 0.7.
    assert np.mean(pairs) >= 0.7


def test_stored_features_say_again_what_was_said():
    """A later head reads features from the database: rounding them must have happened before the first answer."""
    analyser = get_analyser()
    found = analyse("ISIC_0024310")
    logits = analyser.head.logits(found.features.astype(np.float32)[None])

    again = analyser.calibration.probabilities(logits)[0]

    assert np.array_equal(again, np.array(list(found.assessment.probabilities.values()), dtype=np.float32))


def test_an_everyday_picture_is_refused_unless_forced():
    """A colour chart: sharp, well lit, large enough, and no skin."""
    generator = np.random.default_rng(0)
    blocks = generator.integers(30, 226, (15, 20, 3)).astype(np.uint8)
    pixels = np.kron(blocks, np.ones((30, 30, 1), dtype=np.uint8))
    picture = type(decode((PHOTOGRAPHS / "ISIC_0024310.jpg").read_bytes()))(pixels, "PNG", "image/png")

    refused = get_analyser().analyse(picture)
    forced = get_analyser().analyse(picture, force=True)

    assert refused.quality.verdict is Verdict.NOT_SKIN
    assert refused.assessment is None
    assert forced.quality.verdict is Verdict.NOT_SKIN
    assert forced.assessment is not None


@pytest.mark.parametrize("name", ["ISIC_0024322", "ISIC_0024669"])
def test_bare_skin_beside_a_lesion_is_refused(name):
    """An enlarged corner without the lesion, which the network alone takes for a mole."""
    with Image.open(PHOTOGRAPHS / f"{name}.jpg") as photograph:
        skin = photograph.crop((0, 0, 180, 180)).resize((600, 600), Image.Resampling.BICUBIC)
    picture = Picture(np.asarray(skin), "PNG", "image/png")

    refused = get_analyser().analyse(picture)
    forced = get_analyser().analyse(picture, force=True)

    assert refused.quality.verdict is Verdict.NO_LESION
    assert refused.assessment is None
    assert forced.assessment is not None, "a dermatologist may see what the network does not"


def test_noise_in_the_colour_of_skin_is_refused():
    noise = np.random.default_rng(3).normal((210, 160, 140), 14, (450, 600, 3))
    picture = Picture(noise.clip(0, 255).astype(np.uint8), "PNG", "image/png")
    assert get_analyser().analyse(picture).quality.verdict in {Verdict.NO_LESION, Verdict.NOT_SKIN}


def test_one_engine_answers_many_threads_alike():
    pixels = decode((PHOTOGRAPHS / "ISIC_0024310.jpg").read_bytes()).pixels
    engine = get_analyser().engine
    pixels = engine.prepare(pixels)[None]
    expected = engine.run(pixels).features
    found: list[np.ndarray] = []

    threads = [threading.Thread(target=lambda: found.append(engine.run(pixels).features)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert all(np.array_equal(features, expected) for features in found)


@pytest.mark.parametrize(("batch", "more", "dtype"), [((), 0, np.uint8), ((1,), 1, np.uint8), ((1,), 0, np.float32)])
def test_the_engine_refuses_another_shape_or_type(batch, more, dtype):
    engine = Engine(load_release().backbone)
    side = engine.input_side + more
    with pytest.raises(ValueError, match="expected uint8"):
        engine.run(np.zeros((*batch, side, side, 3), dtype))


def test_tiers_follow_the_thresholds_and_include_them():
    points = OperatingPoints(urgent=OperatingPoint(0.3, 0.8, 0.7, 0.9), watch=OperatingPoint(0.1, 0.95, 0.9, 0.75))

    assert points.tier_of(0.3) is Tier.URGENT
    assert points.tier_of(0.2999) is Tier.WATCH
    assert points.tier_of(0.1) is Tier.WATCH
    assert points.tier_of(0.0999) is Tier.CALM
