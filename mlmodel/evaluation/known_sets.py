"""Test sets with their own formats: HAM10000, as for training, and PAD-UFES-20's smartphone photographs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlmodel.counted import counted
from mlmodel.datasets.dataset import MANIFEST_FILE, TEST_FOLDS, TRAIN_FOLDS, Dataset, read_dataset
from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.pictures_by_name import pictures_by_name
from mlmodel.datasets.tables import DataError, read_table, some
from mlmodel.evaluation.errors import EvaluationError
from mlmodel.evaluation.test_sets import Photographs, labels_of, notes_on_diagnoses, traits_of
from mlmodel.pictures.picture_files import stem_of
from mlmodel.taxonomy import CODES

HAM10000_CREDIT = (
    "Photographs: HAM10000, Tschandl, Rosendahl, Kittler (2018), doi:10.7910/DVN/DBW86T, CC BY-NC 4.0, cropped."
)
PHONE_CREDIT = "Photographs: PAD-UFES-20, Pacheco et al. (2020), doi:10.17632/zr7vgbcyr2.1, CC BY 4.0."


def describe_ham10000(dataset: Dataset, folder: Path) -> Photographs:
    """Return all photographs of a HAM10000 folder with their metadata.

    Args:
        dataset: the result of ``read_dataset``.
        folder: its folder, for age, sex and site.
    """
    table = folder / MANIFEST_FILE if (folder / MANIFEST_FILE).is_file() else folder / "metadata.csv"
    rows: dict[str, dict[str, str]] = {stem_of(row.get("image_id", "")): row for row in read_table(table).rows}
    own = [rows.get(path.stem, {}) for path in dataset.paths]
    return Photographs(
        name="HAM10000",
        description="",
        credit=HAM10000_CREDIT,
        paths=dataset.paths,
        labels=dataset.labels,
        diagnoses=np.array([CODES[label] for label in dataset.labels]),
        lesions=dataset.lesions,
        traits={**traits_of(own), "source": dataset.copies},
    )


def read_ham10000_folds(
    folder: Path, folds: tuple[int, ...]
) -> tuple[Photographs, npt.NDArray[np.bool_], Photographs]:
    """Return the photographs of some folds, a mask of these rows in the whole set, and the whole set.

    Raises:
        EvaluationError: the folder cannot be used for training, or the folds are empty.
    """
    try:
        dataset = read_dataset(folder)
    except (DataError, OSError) as error:
        raise EvaluationError(str(error)) from error
    rows = dataset.rows(folds)
    if not rows.any():
        raise EvaluationError(f"{folder} has no photographs in folds {_listed(folds)}.")
    whole = describe_ham10000(dataset, folder)
    part = replace(whole.take(rows), name=f"HAM10000, folds {_listed(folds)}", description=_relation(folds))
    return part, rows, whole


def read_phone(folder: Path) -> Photographs:
    """Return a folder of smartphone photographs with a labels.csv in PAD-UFES-20's format.

    Raises:
        EvaluationError: the table is missing or has other columns, or none of its photographs exists.
    """
    table = read_table(folder / "labels.csv")
    table.require(("img_id", "diagnostic"))
    pictures = pictures_by_name(folder)
    present = [row for row in table.rows if stem_of(row["img_id"]) in pictures]
    if not present:
        raise EvaluationError(f"None of the {len(table.rows)} photographs in {table.path} is in {folder}.")
    diagnoses = [code_of_diagnosis(row["diagnostic"]) for row in present]
    names = [stem_of(row["img_id"]) for row in present]
    absent = [stem_of(row["img_id"]) for row in table.rows if stem_of(row["img_id"]) not in pictures]
    return Photographs(
        name="Smartphone photographs",
        description=(
            "Taken without a dermatoscope, in another country, with other cameras; not used for training, validation "
            "or calibration. ACK counts as akiec, SEK as bkl, NEV as nv."
        ),
        credit=PHONE_CREDIT,
        paths=tuple(pictures[name] for name in names),
        labels=labels_of(diagnoses),
        diagnoses=np.array(diagnoses),
        # PAT_<patient>_<lesion>_<photograph>
        lesions=np.array([name.rsplit("_", 1)[0] for name in names]),
        traits=traits_of(present),
        notes=(
            *table.notes,
            *notes_on_diagnoses([row["diagnostic"] for row in present]),
            *((f"{counted(len(absent), 'row has', 'rows have')} no photograph: {some(absent)}.",) if absent else ()),
        ),
    )


def _relation(folds: tuple[int, ...]) -> str:
    """Return a sentence on how far results on these folds can be trusted."""
    if set(folds) <= set(TEST_FOLDS):
        return (
            "Dermatoscopic photographs of lesions that were not used for training, validation or calibration. "
            "No lesion has photographs in both groups."
        )
    if set(folds) & set(TRAIN_FOLDS):
        return "The network was trained on these folds: the results are too good and do not apply to unseen lesions."
    return "These folds were used for validation and calibration: the results are slightly too good."


def _listed(folds: tuple[int, ...]) -> str:
    return ", ".join(str(fold) for fold in folds)
