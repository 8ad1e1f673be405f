"""HAM10000 as a table: which photograph shows what, of which lesion, in which fold."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.taxonomy import CODES

TRAIN_FOLDS = (0, 1, 2, 3, 4, 5, 6)
CALIBRATION_FOLDS = (7,)
LOCKED_FOLDS = (8, 9)

_COLUMNS = {"image_id", "dx", "lesion_group", "source", "fold"}


class DatasetError(ValueError):
    """The data folder is not what training needs; the message says what is wrong with it."""


@dataclass(frozen=True)
class Dataset:
    """N labelled photographs.

    Attributes:
        paths: where the photographs are.
        labels: int64 (N,), indices into ``taxonomy.CODES``.
        lesions: str (N,); photographs of one lesion share a value and are never split.
        sources: str (N,), ``sharp``, ``soft`` or ``softer``: how the copy was recovered.
        folds: int64 (N,), 0 to 9; 0–6 train, 7 chooses and calibrates, 8–9 are the locked test.
    """

    paths: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    lesions: npt.NDArray[np.str_]
    sources: npt.NDArray[np.str_]
    folds: npt.NDArray[np.int64]

    def rows(self, folds: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """Return which rows lie in ``folds``, bool (N,)."""
        return np.isin(self.folds, folds)


def read_ham10000(folder: Path) -> Dataset:
    """Read ``metadata.csv`` and check that each photograph it names is there; rows of fold −1 are left out.

    Raises:
        DatasetError: the table or photographs are missing, a label is unknown, or a lesion lies in two folds.
    """
    table = folder / "metadata.csv"
    if not table.is_file():
        raise DatasetError(f"There is no {table}. Give the folder that holds metadata.csv and images/.")
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := _COLUMNS - set(reader.fieldnames or ()):
            raise DatasetError(f"{table} lacks the columns {', '.join(sorted(missing))}.")
        records = [record for record in reader if int(record["fold"]) >= 0]
    if not records:
        raise DatasetError(f"{table} has no rows.")
    if unknown := {record["dx"] for record in records} - set(CODES):
        raise DatasetError(f"{table} has labels that are not of the seven: {', '.join(sorted(unknown))}.")
    paths = tuple(folder / "images" / f"{record['image_id']}.jpg" for record in records)
    if absent := [path.name for path in paths if not path.is_file()]:
        raise DatasetError(f"{len(absent)} photographs are missing from {folder / 'images'}, the first: {absent[0]}.")
    dataset = Dataset(
        paths=paths,
        labels=np.array([CODES.index(record["dx"]) for record in records]),
        lesions=np.array([record["lesion_group"] for record in records]),
        sources=np.array([record["source"] for record in records]),
        folds=np.array([int(record["fold"]) for record in records]),
    )
    _check_no_lesion_is_split(dataset)
    return dataset


def _check_no_lesion_is_split(dataset: Dataset) -> None:
    fold_of: dict[str, int] = {}
    for lesion, fold in zip(dataset.lesions.tolist(), dataset.folds.tolist(), strict=True):
        if fold_of.setdefault(lesion, fold) != fold:
            raise DatasetError(f"Lesion {lesion} lies in folds {fold_of[lesion]} and {fold}: that would leak.")
