"""The figures that research/heat_map.md states: what they say of maps whose answer is known."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from research.pointing import (
    centred,
    even_score,
    is_off_centre,
    is_small,
    means_with_intervals,
    near,
    score,
)

SIDE = 100


def square(top, left, size):
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[top : top + size, left : left + size] = True
    return mask


def test_heat_in_the_lesion_alone_scores_all_of_it():
    mask = square(10, 10, 20)

    found = score(mask.astype(float), mask)

    assert (found.hit, found.energy) == (1.0, 1.0)
    assert found.density == pytest.approx(1 / 0.04)


def test_heat_beside_the_lesion_scores_nothing():
    found = score(square(60, 60, 20).astype(float), square(10, 10, 20))

    assert (found.hit, found.energy, found.density) == (0.0, 0.0, 0.0)


def test_an_even_map_scores_what_the_even_spread_scores():
    mask = square(10, 10, 20)

    assert score(np.ones((SIDE, SIDE)), mask).energy == pytest.approx(even_score(mask).energy)
    assert even_score(mask).hit == pytest.approx(0.04)


def test_a_map_without_heat_points_nowhere():
    found = score(np.zeros((SIDE, SIDE)), square(0, 0, 50))

    assert (found.hit, found.energy, found.density) == (0.0, 0.25, 1.0)


def test_the_tolerance_reaches_so_far_and_no_farther():
    mask, heat = square(40, 40, 20), np.zeros((SIDE, SIDE))
    heat[50, 64] = 1.0  # five pixels from the mask's last column

    assert score(heat, mask, tolerance=0.05).hit == 1.0
    assert score(heat, mask, tolerance=0.04).hit == 0.0
    assert near(mask, 0.0) is mask


@pytest.mark.parametrize("width", [0.05, 0.1])
def test_the_width_of_a_gaussian_is_its_own(width):
    mask = square(40, 40, 20)

    assert score(centred(SIDE, width=width), mask).width == pytest.approx(width, rel=0.02)


def test_it_says_where_the_heat_lies_from_the_lesion():
    found = score(square(30, 45, 20).astype(float), square(40, 40, 20))

    assert (found.right, found.down) == pytest.approx((0.05, -0.1))


def test_small_and_off_centre_lesions_are_told_apart():
    assert is_small(square(30, 30, 38))
    assert not is_small(square(30, 30, 39))
    assert not is_off_centre(square(40, 40, 20))
    assert not is_off_centre(square(49, 40, 20))
    assert is_off_centre(square(51, 40, 20))


def test_intervals_are_over_lesions_and_not_over_photographs():
    """A lesion photographed many times says little more than one photographed once."""
    generator = np.random.default_rng(0)
    per_lesion = generator.normal(size=50)
    once = means_with_intervals(per_lesion[:, None], np.arange(50).astype(str))[0]
    often = means_with_intervals(np.repeat(per_lesion, 8)[:, None], np.repeat(np.arange(50), 8).astype(str))[0]
    as_if_apart = means_with_intervals(np.repeat(per_lesion, 8)[:, None], np.arange(400).astype(str))[0]

    assert once[0] == pytest.approx(often[0])
    assert often[2] - often[1] == pytest.approx(once[2] - once[1], rel=1e-6)
    assert as_if_apart[2] - as_if_apart[1] < 0.5 * (often[2] - often[1])
    assert often[1] < often[0] < often[2]


def test_a_difference_is_paired():
    """Two maps that differ by the same everywhere: the interval of their difference has no width."""
    values = np.random.default_rng(0).normal(size=(60, 1))

    (found,) = means_with_intervals(values + 0.25 - values, np.arange(60).astype(str))

    assert found == pytest.approx((0.25, 0.25, 0.25))
