"""What the backbone makes of photographs up to block 12, and what an exit flow makes of that."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.engine import Engine, session_of
from mlmodel.exit_flow import ENTRY_STAGE, EXIT_FEATURE_COUNT, backbone_to_entry, exit_alone

_BATCH = 8
Maps = npt.NDArray[np.float16]


class Entry:
    """The backbone up to block 12."""

    def __init__(self, backbone: Path) -> None:
        """Load it. Raises ``ExitFlowError`` for a backbone that is no Xception as it is exported."""
        self._engine = Engine(backbone)
        self._session = session_of(backbone_to_entry(backbone))

    def write(
        self,
        pictures: Iterable[npt.NDArray[np.uint8]],
        *,
        count: int,
        path: Path,
        told: Callable[[float], None],
    ) -> Maps:
        """Write what it makes of photographs, uint8 (H, W, 3) each, to a ``.npy`` file, and return it."""
        written: np.memmap[Any, Any] | None = None
        done = 0
        for batch in _batches(pictures):
            pixels = np.stack([self._engine.prepare(picture) for picture in batch])
            maps = self._session.run(None, {"pixels": pixels})[0]
            if written is None:
                written = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(count, *maps.shape[1:]))
            written[done : done + len(maps)] = maps
            done += len(maps)
            told(done / count)
        if written is None:
            np.save(path, np.zeros((0, 1, 1, 1), dtype=np.float16))
        else:
            written.flush()
        kept: Maps = np.load(path, mmap_mode="r", allow_pickle=False)
        return kept


def exit_features(backbone: Path, exit_flow: bytes, maps: Maps) -> npt.NDArray[np.float16]:
    """Return what an exit flow makes of maps of block 12, float16 (N, 3072), by the engine that serves it.

    Raises:
        ExitFlowError: it is no exit flow of this backbone.
    """
    session = session_of(exit_alone(backbone, exit_flow))
    parts = [
        session.run(None, {ENTRY_STAGE: maps[start : start + _BATCH].astype(np.float32)})[0].astype(np.float16)
        for start in range(0, len(maps), _BATCH)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, EXIT_FEATURE_COUNT), dtype=np.float16)


def _batches(pictures: Iterable[npt.NDArray[np.uint8]]) -> Iterator[list[npt.NDArray[np.uint8]]]:
    batch: list[npt.NDArray[np.uint8]] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
