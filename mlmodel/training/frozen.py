"""Features of a base that does not learn, computed once: a head then trains in seconds an epoch.

They are kept by photograph, side, preparation, changes and seed, so two runs that differ in their split alone share
them, and a run that was killed computes no chunk twice.
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
    """The pooled features of all photographs of a data set, as they are or with one epoch's random changes."""

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
        """Nothing is computed yet.

        Args:
            recipe: its preparation, changes and seed.
            phase: its side.
            paths: of all photographs of the data set.
            base_id: tells this base, and these photographs, from any other.
            compute: from uint8 (B, side, side, 3) to features (B, F).
            cache: a folder for all features of all bases.
            say: receives lines for people.
        """
        about = (base_id, phase.side, recipe.preparation, recipe.changes, recipe.seed, recipe.scaling)
        self._folder = cache / hashlib.sha256(repr(about).encode()).hexdigest()[:16]
        self._recipe, self._phase, self._paths, self._compute, self._say = recipe, phase, paths, compute, say

    def of(self, rows: npt.NDArray[np.int64], *, variant: int | None) -> npt.NDArray[np.float16]:
        """Return float16 (len(rows), F).

        Args:
            rows: into the data set's photographs.
            variant: the epoch whose random changes to make; None for photographs as they are.
        """
        kind = self._recipe.changes if variant is not None else "none"
        name = "plain" if kind == "none" else f"changed-{variant:03}"
        chunks = {start: self._chunk(start, name, kind, variant) for start in sorted({*(rows // _CHUNK * _CHUNK)})}
        return np.stack([chunks[row // _CHUNK * _CHUNK][row % _CHUNK] for row in rows.tolist()])

    def _chunk(self, start: int, name: str, kind: str, variant: int | None) -> npt.NDArray[np.float16]:
        kept = self._folder / f"{name}-{start:06}.npy"
        if kept.exists():
            found: npt.NDArray[np.float16] = np.load(kept, allow_pickle=False)
            return found
        rows = np.arange(start, min(start + _CHUNK, len(self._paths)))
        parts = batches(
            self._paths, rows, side=self._phase.side, kind=kind, preparation=self._recipe.preparation,
            chance=(self._recipe.seed, variant or 0, start), batch_size=_BATCH,
        )  # fmt: skip
        found = np.concatenate([self._compute(pixels) for pixels, _ in parts]).astype(np.float16)
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial.npy")
        np.save(partial, found)
        partial.replace(kept)
        self._say(f"features of the frozen base ({name}): {rows[-1] + 1:,} of {len(self._paths):,} photographs")
        return found
