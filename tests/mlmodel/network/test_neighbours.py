"""Nearest-neighbour search is exact, also after additions and removals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmodel.network.analyser import get_analyser
from mlmodel.network.neighbours import DIMENSIONS, Archive, Projection, top_of_each_group, unit


def random_units(count: int, seed: int = 0, dimensions: int = 8) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32))


def by_hand(query, rows, *, count, without=()):
    """The same, the slow way: rows of (key, group, vector)."""
    best: dict[object, tuple[float, object]] = {}
    for key, group, vector in rows:
        similarity = float(np.float32(vector @ query))
        if group not in without and (group not in best or similarity > best[group][0]):
            best[group] = (similarity, key)
    ranked = sorted(best.items(), key=lambda item: -item[1][0])
    return [(group, similarity) for group, (similarity, _key) in ranked][:count]


@settings(max_examples=150, deadline=None)
@given(
    size=st.integers(0, 60),
    groups=st.integers(1, 20),
    count=st.integers(1, 12),
    seed=st.integers(0, 2**16),
    coarse=st.booleans(),
    without=st.sets(st.integers(0, 19), max_size=4),
    removed=st.sets(st.integers(0, 59), max_size=20),
)
def test_it_finds_what_brute_force_finds(size, groups, count, seed, coarse, without, removed):
    generator = np.random.default_rng(seed)
    vectors = random_units(size, seed)
    if coarse:  # many ties
        vectors = unit(np.round(vectors))
    group_of = generator.integers(0, groups, size).tolist()
    archive: Archive[int, int] = Archive(8)
    archive.put(list(range(size)), group_of, vectors)
    archive.put(list(range(size)), group_of, vectors)  # again: nothing is there twice
    archive.remove(removed)
    rows = [(key, group_of[key], vectors[key]) for key in range(size) if key not in removed]
    assert len(archive) == len(rows)

    query = random_units(1, seed + 1)[0]
    found = archive.nearest(query, count=count, without=without)

    expected = by_hand(query, rows, count=count, without=without)
    assert [similarity for _, similarity in found] == pytest.approx([value for _, value in expected], abs=1e-5)
    assert len({group_of[key] for key, _ in found}) == len(found)
    assert not {group_of[key] for key, _ in found} & without
    for key, similarity in found:
        assert similarity == pytest.approx(float(vectors[key] @ query), abs=1e-5)


def test_a_key_that_is_put_again_is_moved():
    archive: Archive[str, str] = Archive(2)
    archive.put(["a", "b"], ["x", "y"], np.eye(2, dtype=np.float32))
    archive.put(["a"], ["z"], np.array([[0, 1]], dtype=np.float32))
    assert len(archive) == 2
    assert dict(archive.nearest(np.array([0.0, 1.0]), count=5)) == {"a": 1.0, "b": 1.0}
    assert [key for key, _ in archive.nearest(np.array([0.0, 1.0]), count=5, without=["z"])] == ["b"]


def test_it_grows():
    archive: Archive[int, int] = Archive(8)
    vectors = random_units(3000)
    for start in range(0, 3000, 700):
        keys = list(range(start, min(start + 700, 3000)))
        archive.put(keys, keys, vectors[start : start + 700])
    for key in (0, 1023, 1024, 2999):
        assert archive.nearest(vectors[key], count=1)[0][0] == key
    archive.remove(range(2990))
    assert len(archive) == 10
    assert archive.nearest(vectors[2995], count=1)[0][0] == 2995


def test_nothing_is_found_among_nothing():
    assert Archive(8).nearest(np.ones(8), count=5) == []
    assert top_of_each_group(np.full(3, -np.inf, np.float32), np.arange(3), count=5).size == 0


class TestProjection:
    @pytest.fixture
    def projection(self):
        return Projection.load(get_analyser().release.head)

    def test_it_is_the_shipped_heads_hidden_layer(self, projection):
        head = get_analyser().head
        features = np.abs(np.random.default_rng(0).standard_normal((4, len(head.hidden_weights)))).astype(np.float16)
        vectors = projection.embed(features)
        assert vectors.dtype == np.float16
        assert vectors.shape[1] <= DIMENSIONS
        assert np.linalg.norm(vectors.astype(np.float32), axis=1) == pytest.approx(np.ones(4), abs=2e-3)
        hidden = unit(np.maximum(features.astype(np.float32) @ head.hidden_weights + head.hidden_bias, 0))
        cosines, kept = hidden @ hidden.T, vectors.astype(np.float32) @ vectors.astype(np.float32).T
        assert np.abs(cosines - kept).max() < 0.3

    def test_what_has_no_length_is_alike_to_nothing(self, projection):
        width = len(get_analyser().head.hidden_weights)
        vectors = Projection(weights=None, bias=None).embed(np.zeros((1, width), np.float16))
        assert not vectors.any()
        overflown = projection.embed(np.full((1, width), np.inf, np.float16))
        assert np.array_equal(overflown, projection.embed(np.zeros((1, width), np.float16)))

    def test_a_fitted_one_goes_first(self, tmp_path):
        path = tmp_path / "head.npz"
        fitted = np.eye(6, 3, dtype=np.float32)
        arrays: dict[str, Any] = {"hidden_weights": np.ones((6, 4)), "hidden_bias": np.zeros(4)}
        np.savez(path, **arrays)
        hidden = Projection.load(path)
        np.savez(path, **arrays, neighbours_weights=fitted, neighbours_bias=np.zeros(3))
        projection = Projection.load(path)
        assert projection.sha256 != hidden.sha256
        vectors = projection.embed(np.array([[-3, 0, 4, 9, 9, 9]], np.float16))
        assert vectors[0].tolist() == pytest.approx([-0.6, 0, 0.8], abs=1e-3)

    def test_of_a_head_without_a_hidden_layer_features_are_taken_as_they_are(self, tmp_path):
        np.savez(tmp_path / "head.npz", output_weights=np.ones(3))
        projection = Projection.load(tmp_path / "head.npz")
        features = np.random.default_rng(0).random((3, 2048)).astype(np.float16)
        exact = unit(features.astype(np.float32))
        vectors = projection.embed(features).astype(np.float32)
        assert vectors.shape == (3, DIMENSIONS)
        assert np.abs(exact @ exact.T - vectors @ vectors.T).max() < 0.15

    def test_the_same_file_gives_the_same_space(self):
        path = get_analyser().release.head
        assert Projection.load(path).sha256 == Projection.load(path).sha256
