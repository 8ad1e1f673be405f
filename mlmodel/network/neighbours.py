"""Similar photographs: an embedding of the network's features and nearest-neighbour search.

The embedding is the head's hidden layer, which keeps only what is relevant to the seven classes. Of all embeddings
that were compared on fold 7, it gives the most neighbours of the same class among the first five (see
``research/similar_cases.md``; ``research/neighbours.py`` measures it on the held-out test folds).
"""

import hashlib
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import opened

Floats = npt.NDArray[np.float32]
Key = TypeVar("Key", bound=Hashable)
Group = TypeVar("Group", bound=Hashable)

DIMENSIONS = 128
_SEED = 20180814


@dataclass(frozen=True)
class Projection:
    """A projection of features to unit vectors, whose cosine is the similarity of two photographs.

    features (F) → weights and bias, ReLU → reduction → unit length. The reduction is a Gaussian random projection,
    which preserves angles to within a few hundredths (Johnson & Lindenstrauss, Contemp. Math. 26:189, 1984; Dasgupta &
    Gupta, Random Struct. Algorithms 22:60, 2003) and needs no fitting.

    Attributes:
        weights: float32 (F, H), or None for the unchanged features (then H = F).
        bias: float32 (H,), or None with ``weights``.
        rectifies: whether a ReLU follows; a projection fitted for this purpose has none.
    """

    weights: Floats | None
    bias: Floats | None
    rectifies: bool = True

    def embed(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float16]:
        """Return unit vectors, float16 (B, ``DIMENSIONS``) or (B, H) if H is smaller, for features (B, F).

        Features of length zero or with non-finite values become the zero vector, which is similar to nothing.
        """
        values = features.astype(np.float32)
        values[~np.isfinite(values).all(axis=1)] = 0.0
        if self.weights is not None and self.bias is not None:
            values = values @ self.weights + self.bias
            values = np.maximum(values, 0.0) if self.rectifies else values
        if values.shape[1] > DIMENSIONS:
            values = unit(values) @ _reduction(values.shape[1])
        return unit(values).astype(np.float16)

    @cached_property
    def sha256(self) -> str:
        """The hash of the projection; vectors of projections with different hashes must not be compared."""
        digest = hashlib.sha256(f"{DIMENSIONS} {self.rectifies}".encode())
        inner = None if self.weights is None else self.weights.shape[1]
        for array in (self.weights, self.bias, _reduction(inner) if inner and inner > DIMENSIONS else None):
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @classmethod
    def load(cls, source: Path | bytes) -> "Projection":
        """Return the projection in a head's file.

        That is ``neighbours_weights`` (F, H) and ``neighbours_bias`` (H,), a projection fitted for this purpose, if
        the file has them. Otherwise it is the head's hidden layer, or the unchanged features if there is none.
        """
        with np.load(opened(source), allow_pickle=False) as arrays:
            for name, rectifies in (("neighbours", False), ("hidden", True)):
                if f"{name}_weights" in arrays:
                    weights, bias = (arrays[f"{name}_{part}"].astype(np.float32) for part in ("weights", "bias"))
                    return cls(weights=weights, bias=bias, rectifies=rectifies)
        return cls(weights=None, bias=None)


def unit(values: Floats) -> Floats:
    """Return rows (B, D) scaled to length 1; rows of zeros are unchanged."""
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.maximum(length, 1e-12)).astype(np.float32)


class Archive(Generic[Key, Group]):
    """Unit vectors by key and group in one block of memory: 51 MB for 100,000.

    The search is a product with all vectors. At this size, an approximate index has no advantage: the product takes
    milliseconds, is exact, and needs no rebuild after changes (``research/neighbours.py``). Not thread-safe.
    """

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        self._vectors: Floats = np.empty((1024, dimensions), dtype=np.float32)
        self._groups: npt.NDArray[np.int64] = np.empty(1024, dtype=np.int64)
        self._keys: list[Key] = []
        self._position: dict[Key, int] = {}
        self._code_of: dict[Group, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: Key) -> bool:
        return key in self._position

    def count(self, *, without: Collection[Group] = ()) -> int:
        """Return the number of vectors outside the excluded groups."""
        codes = [self._code_of[group] for group in without if group in self._code_of]
        return len(self) - int(np.isin(self._groups[: len(self)], codes).sum())

    def put(self, keys: Sequence[Key], groups: Sequence[Group], vectors: npt.NDArray[np.floating]) -> None:
        """Add vectors (B, D), replacing those with the same keys."""
        self._reserve(len(self) + len(keys))
        for key, group, vector in zip(keys, groups, vectors, strict=True):
            position = self._position.setdefault(key, len(self._keys))
            if position == len(self._keys):
                self._keys.append(key)
            self._vectors[position] = vector
            self._groups[position] = self._code_of.setdefault(group, len(self._code_of))

    def remove(self, keys: Collection[Key]) -> None:
        """Remove vectors; unknown keys are ignored."""
        for key in keys:
            position = self._position.pop(key, None)
            if position is None:
                continue
            last = self._keys.pop()
            if last != key:
                self._keys[position] = last
                self._position[last] = position
                self._vectors[position] = self._vectors[len(self)]
                self._groups[position] = self._groups[len(self)]

    def nearest(
        self, query: npt.NDArray[np.floating], *, count: int, without: Collection[Group] = ()
    ) -> list[tuple[Key, float]]:
        """Return keys with their cosine similarity, the most similar first, one per group.

        Args:
            query: a unit vector (D,).
            count: the maximum number.
            without: excluded groups.
        """
        similarities = self._vectors[: len(self)] @ query.astype(np.float32)
        if codes := [self._code_of[group] for group in without if group in self._code_of]:
            similarities[np.isin(self._groups[: len(self)], codes)] = -np.inf
        rows = top_of_each_group(similarities, self._groups[: len(self)], count=count)
        return [(self._keys[row], float(similarities[row])) for row in rows.tolist()]

    def _reserve(self, size: int) -> None:
        if size <= len(self._vectors):
            return
        capacity = max(size, 2 * len(self._vectors))
        for name in ("_vectors", "_groups"):
            old = getattr(self, name)
            new = np.empty((capacity, *old.shape[1:]), dtype=old.dtype)
            new[: len(self)] = old[: len(self)]
            setattr(self, name, new)


def top_of_each_group(similarities: Floats, groups: npt.NDArray[np.int64], *, count: int) -> npt.NDArray[np.int64]:
    """Return the most similar row of each of the ``count`` most similar groups, int64, in descending order.

    Args:
        similarities: float32 (N,); −inf excludes a row.
        groups: int64 (N,).
        count: the maximum number of groups.
    """
    candidate_count = min(len(similarities), 4 * count)
    while candidate_count:
        best = np.argpartition(similarities, -candidate_count)[-candidate_count:]
        best = best[np.argsort(-similarities[best], kind="stable")]
        best = best[np.isfinite(similarities[best])]
        _, first = np.unique(groups[best], return_index=True)
        if len(first) >= count or candidate_count == len(similarities):
            return best[np.sort(first)][:count].astype(np.int64)
        candidate_count = min(len(similarities), 4 * candidate_count)
    return np.empty(0, dtype=np.int64)


def _reduction(width: int) -> Floats:
    """Return the random projection, float32 (width, ``DIMENSIONS``), fixed for a version of NumPy."""
    if width not in _reductions:
        gaussian = np.random.default_rng(_SEED).standard_normal((width, DIMENSIONS), dtype=np.float32)
        _reductions[width] = (gaussian / np.sqrt(np.float32(DIMENSIONS))).astype(np.float32)
    return _reductions[width]


_reductions: dict[int, Floats] = {}
