"""Photographs are aligned as they were altered, and not at all where they show different lesions."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.altered import altered
from mlmodel.alignment.aligning import AlignmentRefusal, align
from mlmodel.alignment.similarity import Similarity, fit_similarity, points_of
from mlmodel.pictures.picture import centre_square
from mlmodel.segmentation.outlines import evenly_spaced, longest_diameter
from mlmodel.segmentation.segmenter import get_segmenter
from tests.diagnosis.photographing import SAMPLES

NEVUS, MELANOMA = 5, 2


def square(number: int) -> np.ndarray:
    """The centre of a committed photograph, 224 pixels."""
    pixels = np.asarray(Image.open(SAMPLES[number]).convert("RGB"))
    return np.asarray(Image.fromarray(centre_square(pixels)).resize((224, 224), Image.Resampling.LANCZOS))


def outline_in(pixels):
    return get_segmenter().segment(pixels).outline


def test_a_similarity_and_its_inverse():
    there = Similarity(1.2 * np.exp(0.3j), 0.1 - 0.2j)
    points = np.array([0.1 + 0.2j, 0.9 + 0.5j])

    assert there.inverse()(there(points)) == pytest.approx(points)
    assert there.after(there.inverse()).factor == pytest.approx(1.0)
    assert there.scale == pytest.approx(1.2)
    assert there.degrees == pytest.approx(np.degrees(0.3))


def test_a_fit_ignores_what_does_not_belong():
    random = np.random.default_rng(1)
    first = random.uniform(size=40) + 1j * random.uniform(size=40)
    there = Similarity(0.9 * np.exp(-0.05j), 0.02 + 0.01j)
    second = there(first)
    second[:10] += 0.2

    fit = fit_similarity(first, second, least_spread=0.001)

    assert fit is not None
    assert fit.similarity.factor == pytest.approx(there.factor, abs=1e-6)
    assert (fit.weights[:10] == 0).all()
    assert (fit.weights[10:] > 0.9).all()


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_is_fitted_to_too_few_points(count):
    points = np.arange(count) + 0j

    assert count == 0 or fit_similarity(points, points, least_spread=0.001) is None


@pytest.mark.slow
@pytest.mark.parametrize("number", [NEVUS, MELANOMA])
def test_a_photograph_turned_scaled_and_lit_anew_is_aligned(number):
    pixels = square(number)
    outline = outline_in(pixels)
    made = altered(pixels, outline, growth=0.0, random=np.random.default_rng(number))

    found = align(pixels, made.pixels, outlines=(outline, outline_in(made.pixels)))

    assert found.refusal is None
    points = points_of(evenly_spaced(outline, 60))
    off = np.abs(found.to_second(points) - made.to_second(points)) / made.to_second.scale
    assert off.max() < 0.01 * longest_diameter(outline)
    assert found.residual < 0.01
    assert found.is_by_skin
    assert found.scale_error is not None
    assert found.scale_error < 0.01


@pytest.mark.slow
def test_growth_is_not_taken_for_a_closer_camera():
    pixels = square(NEVUS)
    outline = outline_in(pixels)
    made = altered(pixels, outline, growth=0.4, random=np.random.default_rng(1))

    found = align(pixels, made.pixels, outlines=(outline, outline_in(made.pixels)))

    assert found.is_by_skin
    assert found.to_second.scale == pytest.approx(made.to_second.scale, rel=0.03)


@pytest.mark.slow
def test_two_lesions_are_not_aligned():
    first, second = square(NEVUS), square(MELANOMA)

    found = align(first, second, outlines=(outline_in(first), outline_in(second)))

    assert found.refusal is AlignmentRefusal.NOTHING_SHARED
    assert found.agreeing < 5
    assert not found.is_by_skin


@pytest.mark.slow
@pytest.mark.parametrize(
    "pixels",
    [
        np.full((80, 120, 3), 128, dtype=np.uint8),
        np.zeros((64, 64, 3), dtype=np.uint8),
        np.random.default_rng(3).integers(0, 255, (300, 70, 3), dtype=np.uint8),
    ],
    ids=["grey", "black", "noise"],
)
def test_what_shows_nothing_is_refused(pixels):
    assert align(square(NEVUS), pixels).refusal is AlignmentRefusal.NOTHING_SHARED
    assert align(pixels, square(NEVUS)).refusal is AlignmentRefusal.NOTHING_SHARED
