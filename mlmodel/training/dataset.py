"""HAM10000 as a table: which photograph shows what, of which lesion, in which fold."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.diagnosis_names import code_of_diagnosis
from mlmodel.picture_files import read_picture, readable_name, stem_of, why_unreadable
from mlmodel.pictures import Picture, PictureError
from mlmodel.tables import DataError, Row, number, read_table, some
from mlmodel.taxonomy import CODES

TRAIN_FOLDS = (0, 1, 2, 3, 4, 5, 6)
CALIBRATION_FOLDS = (7,)
LOCKED_FOLDS = (8, 9)

MANIFEST_FILE, SUMMARY_FILE = "manifest.csv", "summary.json"
MANIFEST_COLUMNS = (
    "image_id", "path", "sha256", "width", "height", "dx", "lesion_id", "lesion_group", "age", "sex", "localization",
    "source", "fold",
)  # fmt: skip
_COLUMNS = ("image_id", "dx", "lesion_group", "source", "fold")


class DatasetError(DataError):
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
        file_hashes: SHA-256 of each file if they are known; computed on demand otherwise.
    """

    paths: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    lesions: npt.NDArray[np.str_]
    sources: npt.NDArray[np.str_]
    folds: npt.NDArray[np.int64]
    file_hashes: tuple[str, ...] = ()

    def rows(self, folds: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """Return which rows lie in ``folds``, bool (N,)."""
        return np.isin(self.folds, folds)

    @cached_property
    def sha256(self) -> str:
        """Hash over every photograph's bytes and what the table says of it: the same data, the same hash."""
        digest = hashlib.sha256()
        hashes = self.file_hashes or tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in self.paths)
        for path, label, lesion, fold, found in zip(
            self.paths, self.labels, self.lesions, self.folds, hashes, strict=True
        ):
            digest.update(f"{path.name} {CODES[label]} {lesion} {fold} ".encode())
            digest.update(bytes.fromhex(found))
        return digest.hexdigest()

    def labels_among(self, classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return labels as indices into ``classes``, int64 (N,); −1 where a photograph shows none of them."""
        positions = np.array([classes.index(code) if code in classes else -1 for code in CODES])
        return positions[self.labels]


def read_dataset(folder: Path) -> Dataset:
    """Read a folder that ``import_ham10000`` wrote, or one with ``metadata.csv`` (with folds) and ``images``.

    Rows of fold −1 are left out.

    Raises:
        DataError: table or photographs are missing, a label or a lesion is unknown, or a lesion lies in two folds.
    """
    if (folder / MANIFEST_FILE).is_file():
        records = _records(folder / MANIFEST_FILE, MANIFEST_COLUMNS)
        paths = tuple(Path(record["path"]) for record in records)
        hashes = tuple(record["sha256"] for record in records)
    else:
        records = _records(folder / "metadata.csv", _COLUMNS)
        paths = tuple(folder / "images" / f"{stem_of(record['image_id'])}.jpg" for record in records)
        hashes = ()
    if absent := [path for path in paths if not path.is_file()]:
        raise DatasetError(f"{len(absent)} photographs are missing, the first: {absent[0]}.")
    dataset = Dataset(
        paths=paths,
        labels=np.array([CODES.index(code_of_diagnosis(record["dx"])) for record in records]),
        lesions=np.array([record["lesion_group"] for record in records]),
        sources=np.array([record["source"] for record in records]),
        folds=np.array([int(number(record["fold"])) for record in records]),
        file_hashes=hashes,
    )
    _check_no_lesion_is_split(dataset)
    return dataset


def read_photograph(path: Path) -> Picture:
    """Return a photograph of a data set, or a mask, decoded as an upload is.

    Raises:
        DatasetError: it is damaged or cannot be read. Nothing is trained on what a decoder would have to make up.
    """
    try:
        return read_picture(path)
    except (PictureError, OSError) as error:
        raise DatasetError(
            f"{readable_name(path)}: {why_unreadable(error)} Replace the file, or have `manage.py import_ham10000` "
            "leave out what cannot be read."
        ) from error


def _records(path: Path, columns: tuple[str, ...]) -> list[Row]:
    """Return the rows whose fold is 0 or more."""
    if not path.is_file():
        raise DatasetError(
            f"There is no {path}. Give a folder that `manage.py import_ham10000` wrote, or one with metadata.csv "
            "and images/."
        )
    table = read_table(path)
    table.require(columns)
    records = [row for row in table.rows if _fold(path, row) >= 0]
    if not records:
        raise DatasetError(f"{path} has no rows with a fold of 0 or more.")
    if without := [row for row in records if not row["image_id"] or not row["lesion_group"]]:
        raise DatasetError(f"{path}, line {without[0].line}: image_id or lesion_group is empty.")
    if unknown := {row["dx"] for row in records if code_of_diagnosis(row["dx"]) not in CODES}:
        raise DatasetError(f"{path} has labels that are not of the seven: {some(sorted(unknown))}.")
    return records


def _fold(path: Path, row: Row) -> int:
    try:
        fold = number(row["fold"])
    except ValueError as error:
        raise DatasetError(f"{path}, line {row.line}: “{row['fold'][:20]}” is no fold.") from error
    if not fold.is_integer():
        raise DatasetError(f"{path}, line {row.line}: “{row['fold'][:20]}” is no fold.")
    return int(fold)


def _check_no_lesion_is_split(dataset: Dataset) -> None:
    fold_of: dict[str, int] = {}
    for lesion, fold in zip(dataset.lesions.tolist(), dataset.folds.tolist(), strict=True):
        if fold_of.setdefault(lesion, fold) != fold:
            raise DatasetError(f"Lesion {lesion} lies in folds {fold_of[lesion]} and {fold}: that would leak.")
