"""Any set in the format of the ISIC challenge: a folder of photographs, and a table of the truth."""

from pathlib import Path

import numpy as np

from mlmodel.evaluation.photographs import Photographs, check_one_truth_a_lesion, labels_of, traits_of
from mlmodel.evaluation.tables import EvaluationError, first_of, read_table, require_columns, some
from mlmodel.scoring import PICTURE_SUFFIXES, find_pictures
from mlmodel.taxonomy import CODES, ISIC_ORDER

_IMAGE = ("image", "image_id", "isic_id", "image_name")
_LESION = ("lesion_group", "lesion", "lesion_id")
# Classes of later challenges that are none of the seven.
_OTHER_CLASSES = ("scc", "unk")


def read_isic(images: Path, truth: Path, metadata: Path | None = None, *, name: str = "") -> Photographs:
    """Return the photographs of a folder that a truth table knows.

    Args:
        images: the folder; photographs are matched by file name without its ending, in folders below it too.
        truth: CSV with the columns image, MEL, NV, BCC, AKIEC, BKL, DF, VASC, one of which is 1 (ISIC 2018, task 3),
            or with the columns image and dx. It may have lesion, age, sex and site as well.
        metadata: CSV with the column image and any of lesion_id, age, sex, site, source, skin_type.
        name: of the set; by default that of the folder.

    Raises:
        EvaluationError: a table cannot be read or lacks a column, a row has not exactly one class, a photograph is
            named twice, a lesion has two diagnoses, or nothing is left to score.
    """
    rows = read_table(truth)
    _check_images_are_named(truth, rows)
    diagnoses = [_diagnosis(truth, number, row) for number, row in enumerate(rows, start=2)]
    pictures = pictures_by_name(images)
    names = [stem_of(first_of(row, _IMAGE)) for row in rows]
    found = [index for index, each in enumerate(names) if each in pictures]
    if not found:
        raise EvaluationError(
            f"None of the {len(rows):,} photographs that {truth} names is below {images} ({len(pictures):,} pictures "
            f"there). The column image must hold file names, with or without ending; the first is “{names[0]}”."
        )
    if all(diagnoses[index] not in CODES for index in found):
        unknown = sorted({diagnoses[index] for index in found})
        raise EvaluationError(
            f"{truth} has classes that are none of the seven: {some(unknown)}. Known are {', '.join(CODES)}."
        )
    extra = _metadata_by_name(metadata)
    merged = [{**extra.get(names[index], {}), **_filled(rows[index])} for index in found]
    labels = labels_of([diagnoses[index] for index in found])
    lesions = np.array([first_of(row, _LESION) or f"photograph {row_name(row)}" for row in merged])
    check_one_truth_a_lesion(labels, lesions)
    return Photographs(
        name=name or images.resolve().name,
        description="A set of its owner, scored as the application scores an upload.",
        credit="",
        paths=tuple(pictures[names[index]] for index in found),
        labels=labels,
        diagnoses=np.array([diagnoses[index] for index in found]),
        lesions=lesions,
        traits=traits_of(merged),
        notes=_notes(names, pictures, merged, metadata, extra),
    )


def pictures_by_name(folder: Path) -> dict[str, Path]:
    """Return the picture files below a folder by name without ending.

    Raises:
        EvaluationError: there is no such folder, it holds no pictures, or two of one name.
    """
    if not folder.is_dir():
        raise EvaluationError(f"There is no folder {folder}.")
    found: dict[str, Path] = {}
    for path in find_pictures(folder):
        if path.stem in found:
            raise EvaluationError(
                f"Two pictures have the name {path.stem}: {found[path.stem]} and {path}. Rename one, or take it away."
            )
        found[path.stem] = path
    if not found:
        raise EvaluationError(f"{folder} holds no pictures ({', '.join(sorted(PICTURE_SUFFIXES))}).")
    return found


def stem_of(name: str) -> str:
    """Return a picture's name without its ending, if it has one that pictures have."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and f".{ending.lower()}" in PICTURE_SUFFIXES else name


def row_name(row: dict[str, str]) -> str:
    """Return the photograph that a row is about."""
    return stem_of(first_of(row, _IMAGE))


def _check_images_are_named(truth: Path, rows: list[dict[str, str]]) -> None:
    if not any(name in rows[0] for name in _IMAGE):
        require_columns(truth, rows, ("image",))
    if "dx" not in rows[0]:
        require_columns(truth, rows, ISIC_ORDER)
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        name = row_name(row)
        if not name:
            raise EvaluationError(f"{truth}, line {number}: the photograph has no name.")
        if name in seen:
            raise EvaluationError(f"{truth}, line {number}: {name} is there twice. Keep one row a photograph.")
        seen.add(name)


def _diagnosis(truth: Path, number: int, row: dict[str, str]) -> str:
    """Return the one class of a row, in lower case."""
    if "dx" in row:
        if not row["dx"]:
            raise EvaluationError(f"{truth}, line {number}: dx is empty.")
        return row["dx"].lower()
    said = []
    for column in (*ISIC_ORDER, *(name for name in _OTHER_CLASSES if name in row)):
        try:
            value = float(row[column])
        except ValueError as error:
            raise EvaluationError(
                f"{truth}, line {number}: {column.upper()} is “{row[column][:20]}”; it must be 0 or 1."
            ) from error
        if value not in (0.0, 1.0):
            raise EvaluationError(
                f"{truth}, line {number}: {column.upper()} is {value:g}; a truth must be 0 or 1. "
                "Was a file of predictions given as --truth?"
            )
        if value:
            said.append(column)
    if len(said) != 1:
        raise EvaluationError(
            f"{truth}, line {number}: {len(said)} classes are 1, it must be exactly one. Leave photographs without a "
            "diagnosis of these classes out, or give them 1 in a column SCC or UNK."
        )
    return said[0]


def _metadata_by_name(metadata: Path | None) -> dict[str, dict[str, str]]:
    if metadata is None:
        return {}
    rows = read_table(metadata)
    if not any(name in rows[0] for name in _IMAGE):
        require_columns(metadata, rows, ("image",))
    return {row_name(row): _filled(row) for row in rows}


def _filled(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


def _notes(
    names: list[str],
    pictures: dict[str, Path],
    merged: list[dict[str, str]],
    metadata: Path | None,
    extra: dict[str, dict[str, str]],
) -> tuple[str, ...]:
    notes = []
    if absent := [name for name in names if name not in pictures]:
        notes.append(f"{len(absent):,} rows of the truth have no photograph and were left out: {some(absent)}.")
    if untold := sorted(set(pictures) - set(names)):
        notes.append(f"{len(untold):,} photographs have no row in the truth and were left out: {some(untold)}.")
    if not any(first_of(row, _LESION) for row in merged):
        notes.append("Nothing says which photographs show the same lesion; each counts as a lesion of its own.")
    if metadata is not None and not extra.keys() & set(names):
        notes.append(f"{metadata.name} speaks of none of these photographs.")
    return tuple(notes)
