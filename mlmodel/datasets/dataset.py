"""Labelled data sets: the diagnosis, lesion, source and fold of each photograph."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.tables import DataError, Row, number, read_table, some
from mlmodel.metrics.partial_labels import LABELS, POSSIBLE
from mlmodel.pictures.picture import Picture
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import read_picture, readable_name, stem_of, why_unreadable
from mlmodel.releases.sources import HAM10000
from mlmodel.taxonomy import CODES

TRAIN_FOLDS = (0, 1, 2, 3, 4, 5, 6)
CALIBRATION_FOLDS = (7,)
TEST_FOLDS = (8, 9)

MANIFEST_FILE, SUMMARY_FILE = "manifest.csv", "summary.json"
MANIFEST_COLUMNS = (
    "image_id", "path", "sha256", "width", "height", "dx", "dx_type", "lesion_id", "lesion_group", "age", "sex",
    "localization", "source", "copy", "licence", "fold",
)  # fmt: skip
_COLUMNS = ("image_id", "dx", "lesion_group", "source", "fold")
# The quality of a file: as published, or recovered from a copy that had lost detail.
COPIES = ("sharp", "soft", "softer", "small")
# How a diagnosis was confirmed, in HAM10000's terms.
PROOFS = ("histo", "follow_up", "consensus", "confocal")


class DatasetError(DataError):
    """The data folder cannot be used for training; the message says why."""


@dataclass(frozen=True)
class Dataset:
    """N labelled photographs.

    Attributes:
        paths: the files.
        labels: int64 (N,), indices into ``labels.LABELS``, which begins with ``taxonomy.CODES``.
        lesions: str (N,); photographs of one lesion share a value and are never split between folds.
        copies: str (N,), one of ``COPIES``: the quality of the file.
        folds: int64 (N,), 0 to 9: 0–6 for training, 7 for validation and calibration, 8–9 the held-out test set.
        sources: str (N,), the collection: ``HAM10000`` or another.
        proofs: str (N,), how the diagnosis was confirmed, one of ``PROOFS`` or empty.
        file_hashes: SHA-256 of each file if known; otherwise computed on demand.
    """

    paths: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    lesions: npt.NDArray[np.str_]
    copies: npt.NDArray[np.str_]
    folds: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]
    proofs: npt.NDArray[np.str_]
    file_hashes: tuple[str, ...] = ()

    def rows(self, folds: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """Return a mask of the rows in ``folds``, bool (N,)."""
        return np.isin(self.folds, folds)

    @cached_property
    def sha256(self) -> str:
        """The hash of all photographs with their labels, lesions, folds and sources."""
        digest = hashlib.sha256()
        hashes = self.file_hashes or tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in self.paths)
        for path, label, lesion, fold, source, file_hash in zip(
            self.paths, self.labels, self.lesions, self.folds, self.sources, hashes, strict=True
        ):
            # HAM10000's source is left out: releases record the hash from before there were other sources.
            other = "" if source == HAM10000 else f"{source} "
            digest.update(f"{path.name} {LABELS[label]} {lesion} {fold} {other}".encode())
            digest.update(bytes.fromhex(file_hash))
        return digest.hexdigest()

    def labels_among(self, classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Return labels as indices into ``classes``, int64 (N,); −1 where the label is none of them."""
        positions = np.array([classes.index(label) if label in classes else -1 for label in LABELS])
        return positions[self.labels]

    def possible_among(self, classes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Return a mask of the ``classes`` that each label allows, bool (N, classes).

        A partial label counts only if all classes that it allows are among ``classes``.
        """
        places = [CODES.index(code) for code in classes]
        whole = POSSIBLE.sum(axis=1) == POSSIBLE[:, places].sum(axis=1)
        return (POSSIBLE[:, places] & whole[:, None])[self.labels]

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Dataset":
        """Return the data set with these rows only."""
        indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Dataset(
            paths=tuple(self.paths[row] for row in indices),
            labels=self.labels[indices],
            lesions=self.lesions[indices],
            copies=self.copies[indices],
            folds=self.folds[indices],
            sources=self.sources[indices],
            proofs=self.proofs[indices],
            file_hashes=tuple(self.file_hashes[row] for row in indices) if self.file_hashes else (),
        )


def read_datasets(folders: Sequence[Path]) -> tuple[Dataset, list[str]]:
    """Return several folders as one data set, with partial labels, and notes on what was excluded.

    A photograph or lesion that is in several collections is read from the first of them.

    Raises:
        DataError: as ``read_dataset``.
    """
    parts: list[Dataset] = []
    notes = []
    for folder in folders:
        part = _read(folder, among=LABELS)
        earlier_names = {path.stem for other in parts for path in other.paths}
        lesions = {lesion for other in parts for lesion in other.lesions.tolist()}
        is_duplicate = np.array(
            [
                path.stem in earlier_names or lesion in lesions
                for path, lesion in zip(part.paths, part.lesions, strict=True)
            ]
        )
        if is_duplicate.all():
            raise DatasetError(f"All photographs in {folder} are already in {folders[0]}.")
        if is_duplicate.any():
            notes.append(
                f"{int(is_duplicate.sum()):,} photographs in {folder} are in an earlier collection: excluded."
            )
        parts.append(part.take(~is_duplicate))
    if len(parts) == 1:
        return parts[0], notes
    # Some collections have file hashes and others do not.
    hashes = (
        part.file_hashes or tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in part.paths)
        for part in parts
    )
    joined = Dataset(
        paths=tuple(path for part in parts for path in part.paths),
        labels=np.concatenate([part.labels for part in parts]),
        lesions=np.concatenate([part.lesions for part in parts]),
        copies=np.concatenate([part.copies for part in parts]),
        folds=np.concatenate([part.folds for part in parts]),
        sources=np.concatenate([part.sources for part in parts]),
        proofs=np.concatenate([part.proofs for part in parts]),
        file_hashes=tuple(file_hash for each in hashes for file_hash in each),
    )
    return joined, notes


def read_dataset(folder: Path) -> Dataset:
    """Return the data set in a folder that an import wrote, or one with ``metadata.csv`` (with folds) and ``images``.

    Rows with fold −1 are excluded.

    Raises:
        DataError: the table or photographs are missing, a label is none of the seven, or a lesion is in two folds.
    """
    return _read(folder, among=CODES)


def _read(folder: Path, *, among: tuple[str, ...]) -> Dataset:
    if (folder / MANIFEST_FILE).is_file():
        records = _records(folder / MANIFEST_FILE, (*_COLUMNS, "path", "sha256"), among)
        paths = tuple(Path(record["path"]) for record in records)
        hashes = tuple(record["sha256"] for record in records)
    else:
        records = _records(folder / "metadata.csv", _COLUMNS, among)
        paths = tuple(folder / "images" / f"{stem_of(record['image_id'])}.jpg" for record in records)
        hashes = ()
    if absent := [path for path in paths if not path.is_file()]:
        raise DatasetError(f"{len(absent)} photographs are missing, for example {absent[0]}.")
    # Older tables of ours have the copy in the source column.
    is_copy = [record["source"] in COPIES for record in records]
    dataset = Dataset(
        paths=paths,
        labels=np.array([LABELS.index(code_of_diagnosis(record["dx"])) for record in records]),
        lesions=np.array([record["lesion_group"] for record in records]),
        copies=np.array(
            [
                row["source"] if is_old else row.get("copy") or "sharp"
                for row, is_old in zip(records, is_copy, strict=True)
            ]
        ),
        folds=np.array([int(number(record["fold"])) for record in records]),
        sources=np.array(
            [HAM10000 if is_old else row["source"] for row, is_old in zip(records, is_copy, strict=True)]
        ),
        proofs=np.array([record.get("dx_type", "") for record in records]),
        file_hashes=hashes,
    )
    _check_no_lesion_is_split(dataset)
    return dataset


def read_photograph(path: Path) -> Picture:
    """Return a photograph or mask of a data set, decoded like an upload.

    Raises:
        DatasetError: it is damaged or cannot be read. Damaged parts must not be used for training.
    """
    try:
        return read_picture(path)
    except (PictureError, OSError) as error:
        raise DatasetError(
            f"{readable_name(path)}: {why_unreadable(error)} Replace the file, or run `manage.py import_ham10000`, "
            "which excludes unreadable photographs."
        ) from error


def _records(path: Path, columns: tuple[str, ...], among: tuple[str, ...]) -> list[Row]:
    """Return the rows whose fold is 0 or more."""
    if not path.is_file():
        raise DatasetError(
            f"{path} does not exist. Give a folder written by `manage.py import_ham10000` or `import_isic`, or one "
            "with metadata.csv and images/."
        )
    table = read_table(path)
    table.require(columns)
    records = [row for row in table.rows if _fold(path, row) >= 0]
    if not records:
        raise DatasetError(f"{path} has no rows with fold 0 or higher.")
    if without := [row for row in records if not row["image_id"] or not row["lesion_group"]]:
        raise DatasetError(f"{path}, line {without[0].line}: image_id or lesion_group is empty.")
    if unknown := {row["dx"] for row in records if code_of_diagnosis(row["dx"]) not in among}:
        allowed = "among the seven classes" if among == CODES else f"among {', '.join(among)}"
        raise DatasetError(f"{path} has labels that are not {allowed}: {some(sorted(unknown))}.")
    return records


def _fold(path: Path, row: Row) -> int:
    try:
        fold = number(row["fold"])
    except ValueError as error:
        raise DatasetError(f"{path}, line {row.line}: “{row['fold'][:20]}” is not a fold.") from error
    if not fold.is_integer():
        raise DatasetError(f"{path}, line {row.line}: “{row['fold'][:20]}” is not a fold.")
    return int(fold)


def _check_no_lesion_is_split(dataset: Dataset) -> None:
    fold_of: dict[str, int] = {}
    for lesion, fold in zip(dataset.lesions.tolist(), dataset.folds.tolist(), strict=True):
        if fold_of.setdefault(lesion, fold) != fold:
            raise DatasetError(
                f"Lesion {lesion} is in folds {fold_of[lesion]} and {fold}, which would be data leakage."
            )
