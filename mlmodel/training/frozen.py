"""Features of a frozen base, computed once, so that a head trains in seconds per epoch.

They are cached by photograph, side, preparation, augmentation and seed, so that runs with different splits share them,
and an interrupted run does not recompute them.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.training.feed import batches
from mlmodel.training.recipe import Phase, Recipe

_CHUNK, _BATCH = 256, 32


class FrozenFeatures:
    """The pooled features of all photographs of a data set, unchanged or with one epoch's augmentation."""

    def __init__(
        self,
        *,
        recipe: Recipe,
        phase: Phase,
        paths: Sequence[Path],
        base_id: str,
        compute: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
        cache: Path,
        say: Callable[[str], None],
    ) -> None:
        """Set up the cache without computing anything.

        Args:
            recipe: for its preparation, augmentation and seed.
            phase: for its side.
            paths: the files of all photographs of the data set.
            base_id: identifies this base and these photographs.
            compute: a function from uint8 (B, side, side, 3) to features (B, F).
            cache: a folder for all features of all bases.
            say: receives progress messages.
        """
        about = (base_id, phase.side, recipe.preparation, recipe.changes, recipe.seed, recipe.scaling)
        self._folder = cache / hashlib.sha256(repr(about).encode()).hexdigest()[:16]
        self._recipe, self._phase, self._paths, self._compute, self._say = recipe, phase, paths, compute, say

    def of(self, rows: npt.NDArray[np.int64], *, variant: int | None) -> npt.NDArray[np.float16]:
        """Return float16 (len(rows), F).

        Args:
            rows: into the data set's photographs.
            variant: the epoch whose augmentation to apply; None for unchanged photographs.
        """
        kind = self._recipe.changes if variant is not None else "none"
        name = "plain" if kind == "none" else f"changed-{variant:03}"
        chunks = {start: self._chunk(start, name, kind, variant) for start in sorted({*(rows // _CHUNK * _CHUNK)})}
        return np.stack([chunks[row // _CHUNK * _CHUNK][row % _CHUNK] for row in rows.tolist()])

    def _chunk(self, start: int, name: str, kind: str, variant: int | None) -> npt.NDArray[np.float16]:
        path = self._folder / f"{name}-{start:06}.npy"
        if path.exists():
            features: npt.NDArray[np.float16] = np.load(path, allow_pickle=False)
            return features
        rows = np.arange(start, min(start + _CHUNK, len(self._paths)))
        parts = batches(
            self._paths, rows, side=self._phase.side, kind=kind, preparation=self._recipe.preparation,
            chance=(self._recipe.seed, variant or 0, start), batch_size=_BATCH,
        )  # fmt: skip
        features = np.concatenate([self._compute(pixels) for pixels, _ in parts]).astype(np.float16)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, features)
        partial.replace(path)
        self._say(f"features of the frozen base ({name}): {rows[-1] + 1:,} of {len(self._paths):,} photographs")
        return features
