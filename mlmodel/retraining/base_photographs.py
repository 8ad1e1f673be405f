"""The photographs that the base set was made of: features of a new exit flow cannot be had from stored ones."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.retraining.base_set import PARTS, BaseSet, Cases
from mlmodel.retraining.entry_maps import Entry, Maps, exit_features
from mlmodel.retraining.learning import Progress, within
from mlmodel.tables import DataError
from mlmodel.training.base_set import rows_of_base_set
from mlmodel.training.dataset import MANIFEST_FILE, read_dataset, read_photograph


class CannotGoDeeper(RuntimeError):
    """What fine-tuning needs is not here; the message says what to do."""


def lacks(data: Path) -> str:
    """Return what is missing for fine-tuning an exit flow here, in words that say what to do; empty if nothing.

    Cheap enough for a page: whether the photographs are the right ones is found out by who reads them.
    """
    if find_spec("tensorflow") is None:
        return "To fine-tune the exit flow needs TensorFlow: pip install -r requirements.txt"
    if not any((data / table).is_file() for table in (MANIFEST_FILE, "metadata.csv")):
        return (
            "To fine-tune the exit flow needs the base set's photographs. Import them with "
            "“manage.py import_ham10000 DIR”, or name their folder in DERMASCAN_RETRAINING_BASE_DATA."
        )
    return ""


class BasePhotographs:
    """The photographs that the base set was made of, and what block 12 makes of them, kept on disk.

    A fifth of a megabyte a photograph of 192 pixels: some 1.4 GB for the shipped base set. They are computed once for
    a backbone, and the features of all photographs once for an exit flow.
    """

    def __init__(self, *, base: BaseSet, data: Path, backbone: Path, cache: Path) -> None:
        """Find the photographs of each row of the base set.

        Raises:
            CannotGoDeeper: they are not there, or others than those that the base set was made of.
        """
        if missing := lacks(data):
            raise CannotGoDeeper(missing)
        try:
            dataset = read_dataset(data)
        except DataError as error:
            raise CannotGoDeeper(f"The base set's photographs cannot be read: {error}") from error
        self._backbone = backbone
        self._cache = cache / base.backbone_sha256[:16]
        self._paths: dict[str, list[Path]] = {}
        for part, rows in rows_of_base_set(dataset).items():
            cases: Cases = getattr(base, part)
            if not (
                np.array_equal(dataset.labels[rows], cases.labels)
                and np.array_equal(dataset.lesions[rows], cases.lesions)
            ):
                raise CannotGoDeeper(
                    f"The photographs in {data} are not those that the base set was made of: import the same data set "
                    "that the release was built from."
                )
            self._paths[part] = [dataset.paths[row] for row in rows]

    def maps(self, part: str, *, progress: Progress) -> Maps:
        """Return float16 (N, 728, rows, columns) of one part, mapped from disk.

        Raises:
            CannotGoDeeper: a photograph is damaged or gone.
        """
        path = self._cache / f"{part}.npy"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            paths = self._paths[part]
            entry = Entry(self._backbone)
            partial = path.with_suffix(".partial.npy")
            try:
                entry.write(
                    (read_photograph(each).pixels for each in paths), count=len(paths), path=partial,
                    told=lambda done: progress(done, f"Reading the base set's photographs: {part}"),
                )  # fmt: skip
            except DataError as error:
                raise CannotGoDeeper(f"The base set's photographs cannot be read: {error}") from error
            partial.replace(path)
        kept: Maps = np.load(path, mmap_mode="r", allow_pickle=False)
        return kept

    def through(self, exit_flow: bytes, *, progress: Progress) -> dict[str, npt.NDArray[np.float16]]:
        """Return what an exit flow makes of each part, float16 (N, 3072); kept, since the next run may ask for it."""
        path = self._cache / f"exit-{hashlib.sha256(exit_flow).hexdigest()[:16]}.npz"
        if not path.exists():
            found = {}
            for place, part in enumerate(PARTS):
                told = within(progress, place / len(PARTS), (place + 1) / len(PARTS))
                maps = self.maps(part, progress=told)
                told(1.0, f"Reading the base set through the exit flow: {part}")
                found[part] = exit_features(self._backbone, exit_flow, maps)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, **found)  # type: ignore[arg-type]
            partial.replace(path)
        with np.load(path, allow_pickle=False) as kept:
            return {part: kept[part] for part in PARTS}
