"""Test sets in the format of the ISIC challenge: a folder of photographs and a table of the ground truth."""

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
    """Return the photographs of a folder that are in a ground-truth table.

    Args:
        images: the folder, including subfolders; photographs are matched by file name without extension.
        truth: CSV with the columns image, MEL, NV, BCC, AKIEC, BKL, DF, VASC, one of which is 1 (ISIC 2018, task 3),
            or with the columns image and dx. AK stands for AKIEC; SCC, UNK and diagnoses that are none of the seven
            are reported separately. Columns lesion, age, sex and site are optional.
        metadata: CSV with the column image and any of lesion_id, age, sex, site, source, skin_type.
        name: the name of the set; by default that of the folder.

    Raises:
        DataError: a table cannot be read or lacks a column, a row does not have exactly one class, a photograph is
            listed twice, a lesion has two diagnoses, or no photographs are left.
    """
    table = with_names(read_table(truth))
    names = image_names(table)
    diagnoses = read_diagnoses(table)
    pictures = pictures_by_name(images)
    present = [index for index, each in enumerate(names) if each in pictures]
    if not present:
        raise EvaluationError(
            f"None of the {len(names):,} photographs in {truth} is below {images} ({len(pictures):,} pictures there). "
            f"The column image must contain file names, with or without extension; the first is “{names[0]}”."
        )
    if all(diagnoses[index] not in CODES for index in present):
        unknown = sorted({diagnoses[index] for index in present})
        raise EvaluationError(
            f"{truth} contains none of the seven classes ({', '.join(CODES)}), only {some(unknown)}."
        )
    more = read_table(metadata) if metadata else None
    extra = _by_name(more) if more else {}
    merged = [{**extra.get(names[index], {}), **_filled(table.rows[index])} for index in present]
    labels = labels_of([diagnoses[index] for index in present])
    lesions = np.array(
        [first_of(row, LESION) or f"photograph {names[index]}" for index, row in zip(present, merged, strict=True)]
    )
    check_one_truth_a_lesion(labels, lesions)
    return Photographs(
        name=name or images.resolve().name,
        description="A set provided by its owner, analysed as the application analyses an upload.",
        credit="",
        paths=tuple(pictures[names[index]] for index in present),
        labels=labels,
        diagnoses=np.array([diagnoses[index] for index in present]),
        lesions=lesions,
        traits=traits_of(merged),
        notes=(
            *table.notes,
            *(more.notes if more else ()),
            *notes_on_diagnoses(
                [written_diagnosis(table.rows[index]) or _outside(diagnoses[index]) for index in present]
            ),
            *_notes(names, pictures, merged, metadata, extra),
        ),
    )


def _by_name(table: Table) -> dict[str, dict[str, str]]:
    """Return the metadata of each photograph.

    Raises:
        EvaluationError: two rows of a photograph differ.
    """
    table.require_one_of(IMAGE)
    metadata: dict[str, dict[str, str]] = {}
    for row in table.rows:
        if not (name := image_name(row)):
            continue
        if metadata.setdefault(name, _filled(row)) != _filled(row):
            raise EvaluationError(
                f"{table.path}, line {row.line}: {name} is listed twice with different values. Keep one row."
            )
    return metadata


def _outside(diagnosis: str) -> str:
    """Return the diagnosis if it is none of the seven, or an empty string."""
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
            f"{counted(len(absent), 'row of the ground truth has', 'rows of the ground truth have')} no photograph "
            f"and {'was' if len(absent) == 1 else 'were'} excluded: {some(absent)}."
        )
    if unlisted := sorted(set(pictures) - set(names)):
        notes.append(
            f"{counted(len(unlisted), 'photograph has', 'photographs have')} no row in the ground truth and "
            f"{'was' if len(unlisted) == 1 else 'were'} excluded: {some(unlisted)}."
        )
    without = sum(not first_of(row, LESION) for row in merged)
    if without == len(merged):
        notes.append("The lesion of each photograph is unknown; each photograph counts as a separate lesion.")
    elif without:
        notes.append(
            f"{counted(without, 'photograph has', 'photographs have')} no lesion number; "
            "each counts as a separate lesion."
        )
    if metadata is not None and not extra.keys() & set(names):
        notes.append(f"{metadata.name} lists none of these photographs.")
    return tuple(notes)
