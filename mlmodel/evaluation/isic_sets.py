"""Any set in the format of the ISIC challenge: a folder of photographs, and a table of the truth."""

from pathlib import Path

import numpy as np

from mlmodel.counted import counted
from mlmodel.datasets.isic_tables import IMAGE, LESION, image_name, image_names, with_names, written_diagnosis
from mlmodel.datasets.isic_tables import diagnoses as read_diagnoses
from mlmodel.datasets.pictures_by_name import pictures_by_name
from mlmodel.datasets.tables import Row, Table, first_of, read_table, some
from mlmodel.evaluation.errors import EvaluationError
from mlmodel.evaluation.test_sets import (
    Photographs,
    check_one_truth_a_lesion,
    labels_of,
    notes_on_diagnoses,
    traits_of,
)
from mlmodel.taxonomy import CODES


def read_isic(images: Path, truth: Path, metadata: Path | None = None, *, name: str = "") -> Photographs:
    """Return the photographs of a folder that a truth table knows.

    Args:
        images: the folder; photographs are matched by file name without its ending, in folders below it too.
        truth: CSV with the columns image, MEL, NV, BCC, AKIEC, BKL, DF, VASC, one of which is 1 (ISIC 2018, task 3),
            or with the columns image and dx. AK stands for AKIEC; SCC and UNK, and diagnoses that are none of the
            seven, are kept apart. It may have lesion, age, sex and site as well.
        metadata: CSV with the column image and any of lesion_id, age, sex, site, source, skin_type.
        name: of the set; by default that of the folder.

    Raises:
        DataError: a table cannot be read or lacks a column, a row has not exactly one class, a photograph is
            named twice, a lesion has two diagnoses, or nothing is left to score.
    """
    table = with_names(read_table(truth))
    names = image_names(table)
    diagnoses = read_diagnoses(table)
    pictures = pictures_by_name(images)
    found = [index for index, each in enumerate(names) if each in pictures]
    if not found:
        raise EvaluationError(
            f"None of the {len(names):,} photographs that {truth} names is below {images} ({len(pictures):,} pictures "
            f"there). The column image must hold file names, with or without ending; the first is “{names[0]}”."
        )
    if all(diagnoses[index] not in CODES for index in found):
        unknown = sorted({diagnoses[index] for index in found})
        raise EvaluationError(
            f"{truth} has classes that are none of the seven: {some(unknown)}. Known are {', '.join(CODES)}."
        )
    more = read_table(metadata) if metadata else None
    extra = _by_name(more) if more else {}
    merged = [{**extra.get(names[index], {}), **_filled(table.rows[index])} for index in found]
    labels = labels_of([diagnoses[index] for index in found])
    lesions = np.array(
        [first_of(row, LESION) or f"photograph {names[index]}" for index, row in zip(found, merged, strict=True)]
    )
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
        notes=(
            *table.notes,
            *(more.notes if more else ()),
            *notes_on_diagnoses(
                [written_diagnosis(table.rows[index]) or _outside(diagnoses[index]) for index in found]
            ),
            *_notes(names, pictures, merged, metadata, extra),
        ),
    )


def _by_name(table: Table) -> dict[str, dict[str, str]]:
    """Return what a table has of each photograph. Rows of one photograph that differ are refused."""
    table.require_one_of(IMAGE)
    found: dict[str, dict[str, str]] = {}
    for row in table.rows:
        if not (name := image_name(row)):
            continue
        if found.setdefault(name, _filled(row)) != _filled(row):
            raise EvaluationError(
                f"{table.path}, line {row.line}: {name} is there twice, with different values. Keep one row."
            )
    return found


def _outside(diagnosis: str) -> str:
    """What a table with a column for each class says of a photograph that shows none of the seven."""
    return "" if diagnosis in CODES else diagnosis


def _filled(row: Row) -> dict[str, str]:
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
        notes.append(
            f"{counted(len(absent), 'row of the truth has', 'rows of the truth have')} no photograph and "
            f"{'was' if len(absent) == 1 else 'were'} left out: {some(absent)}."
        )
    if untold := sorted(set(pictures) - set(names)):
        notes.append(
            f"{counted(len(untold), 'photograph has', 'photographs have')} no row in the truth and "
            f"{'was' if len(untold) == 1 else 'were'} left out: {some(untold)}."
        )
    without = sum(not first_of(row, LESION) for row in merged)
    if without == len(merged):
        notes.append("Nothing says which photographs show the same lesion; each counts as a lesion of its own.")
    elif without:
        notes.append(
            f"{counted(without, 'photograph has', 'photographs have')} no lesion number; "
            "each counts as a lesion of its own."
        )
    if metadata is not None and not extra.keys() & set(names):
        notes.append(f"{metadata.name} speaks of none of these photographs.")
    return tuple(notes)
