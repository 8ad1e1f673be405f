"""Batches of training photographs, prefetched by threads and reproducible for each place in a run."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.dataset import read_photograph
from mlmodel.pictures.picture import centre_square
from mlmodel.training.augmentation import changed
from mlmodel.training.preparation import prepared

_AHEAD = 4

Pixels = npt.NDArray[np.uint8]
Kept = dict[tuple[Path, int], Pixels]


def batches(
    paths: Sequence[Path],
    order: npt.NDArray[np.int64],
    *,
    side: int,
    kind: str,
    preparation: str = "none",
    chance: tuple[int, ...],
    batch_size: int,
    first: int = 0,
    kept: Kept | None = None,
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    """Yield uint8 (B, side, side, 3) with the rows of the photographs, in order; the last batch may be smaller.

    Args:
        paths: the files of all photographs.
        order: rows into ``paths``.
        side: the side of the pictures.
        kind: the kind of augmentation.
        preparation: the preparation of every photograph before augmentation.
        chance: seeds which, with a photograph's place in the order, determine its augmentation.
        batch_size: the batch size.
        first: the first batch to yield, to resume a run.
        kept: a memory cache of pictures without augmentation, 3 × side² bytes each; for one preparation.

    Raises:
        DatasetError: a photograph is damaged or cannot be read.
    """

    cache = kept if kept is not None and kind == "none" else None

    def picture(row: int, place: int) -> Pixels:
        key = (paths[row], side)
        if cache is not None and key in cache:
            return cache[key]
        result = changed(
            prepared(read_square(paths[row]), preparation),
            side=side,
            kind=kind,
            generator=np.random.default_rng((*chance, place)),
        )
        if cache is not None:
            cache[key] = result
        return result

    def prepare(start: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        rows = order[start : start + batch_size]
        return np.stack([picture(row, place) for place, row in enumerate(rows.tolist(), start=start)]), rows

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        waiting: deque[Future[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]] = deque()
        for start in range(first * batch_size, len(order), batch_size):
            waiting.append(pool.submit(prepare, start))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def read_square(path: Path) -> Pixels:
    """Return the centre square of a data set's photograph, uint8 (S, S, 3).

    Raises:
        DatasetError: it is damaged or cannot be read.
    """
    return centre_square(read_photograph(path).pixels)
