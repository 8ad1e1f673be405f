"""Drift is noticed, and ordinary work is not: on invented features, and against the shipped reference."""

import numpy as np
import pytest

from mlmodel.network.analyser import get_analyser
from mlmodel.network.drift import (
    FEWEST,
    MEASURES,
    WINDOW,
    DriftReference,
    make_reference,
    population_stability,
    read_reference,
)
from mlmodel.releases.release_files import SHIPPED, ReleaseError

pytestmark = pytest.mark.slow

FEATURES = 60


def invented(count: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return (draw.normal(size=(count, FEATURES)) * np.linspace(3, 0.2, FEATURES)).astype(np.float16)


@pytest.fixture(scope="module")
def reference() -> DriftReference:
    return make_reference(invented(800, 0), np.arange(800).astype(str), backbone_sha256="b" * 64)


def test_a_shift_of_a_third_is_noticed_within_a_window(reference):
    window = invented(WINDOW, 1)
    window[::3, :4] += 6
    look = reference.look(reference.project(window))
    assert look.has_drifted
    assert look.psi > 0.25


def test_ordinary_streams_raise_nothing_over_repeated_looks(reference):
    alarms = 0
    for seed in range(40):
        scores = reference.project(invented(2000, 100 + seed))
        alarms += any(reference.look(scores[end - WINDOW : end]).has_drifted for end in range(WINDOW, 2001, 20))
    # 1 in 100 streams by design: more than 3 of 40 would happen once in a thousand.
    assert alarms <= 3


def test_a_short_window_decides_nothing(reference):
    far = invented(FEWEST - 1, 2) + 50
    assert not reference.look(reference.project(far)).has_drifted
    assert reference.look(reference.project(invented(FEWEST, 2) + 50)).has_drifted


def test_a_window_of_half_the_size_takes_a_larger_distance(reference):
    half, full = (reference.look(reference.project(invented(count, 3))) for count in (FEWEST, WINDOW))
    assert half.threshold > full.threshold


def test_an_empty_window_is_refused(reference):
    with pytest.raises(ValueError, match="empty"):
        reference.look(np.empty((0, 25), np.float32))


def test_the_population_stability_index_by_hand():
    known = np.arange(100.0)
    assert population_stability(known, known) == pytest.approx(0)
    # All in the upper half: ten bins of 0.1, five become 0.2 and five (half a photograph of 50) 0.01.
    moved = population_stability(known, np.arange(50.0, 100.0))
    assert moved == pytest.approx(5 * (0.1 * np.log(2)) + 5 * (-0.09 * np.log(0.1)), rel=0.02)


def test_it_is_read_as_it_was_written(reference, tmp_path):
    reference.save(tmp_path / "reference.npz")
    again = read_reference(tmp_path / "reference.npz")
    assert again.distance_threshold == reference.distance_threshold
    features = invented(10, 5)
    np.testing.assert_allclose(again.project(features), reference.project(features), rtol=1e-3, atol=1e-3)


def test_plain_measures_name_what_has_moved(tmp_path):
    draw = np.random.default_rng(6)
    known = {"brightness": draw.normal(180, 18, 800), "red": draw.normal(0.5, 0.25, 800)}
    made = make_reference(invented(800, 0), np.arange(800).astype(str), backbone_sha256="b" * 64, measures=known)
    made.save(tmp_path / "reference.npz")
    windows = {"brightness": draw.normal(180, 18, WINDOW), "red": draw.normal(0.9, 0.25, WINDOW)}
    brightness, red = read_reference(tmp_path / "reference.npz").look_at_measures(windows)
    assert (brightness.name, brightness.has_moved) == ("brightness", False)
    assert (red.name, red.has_moved, red.count) == ("red", True, WINDOW)
    assert (round(red.usual, 1), round(red.median, 1)) == (0.5, 0.9)
    (few,) = made.look_at_measures({"red": windows["red"][: FEWEST - 1]})
    assert not few.has_moved


def test_a_reference_without_measures_is_read(tmp_path):
    with np.load(SHIPPED / "reference.npz") as arrays:
        older = {name: arrays[name] for name in arrays if not name.startswith("measure")}
    np.savez(tmp_path / "reference.npz", **older)
    assert read_reference(tmp_path / "reference.npz").look_at_measures({"red": [0.5]}) == []


def test_another_file_is_refused(tmp_path):
    (tmp_path / "reference.npz").write_bytes(b"no archive")
    with pytest.raises(ReleaseError, match="build_reference"):
        read_reference(tmp_path / "reference.npz")


def test_the_shipped_reference_is_of_the_shipped_network_and_small():
    analyser = get_analyser()
    assert analyser.reference is not None
    assert analyser.outlier_threshold is not None
    assert analyser.reference.backbone_sha256 == analyser.backbone_sha256
    assert set(analyser.reference.measures) == set(MEASURES)
    assert (SHIPPED / "reference.npz").stat().st_size <= 1024 * 1024
    scores = analyser.reference.scores[:, -1]
    assert (scores > analyser.outlier_threshold).mean() == pytest.approx(0.01, abs=0.005)
