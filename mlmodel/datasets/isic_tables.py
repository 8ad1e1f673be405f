"""Diagnoses from the tables of the ISIC challenges and archive.

Supported formats: one column per class (2018 task 3, 2019 with AK, SCC and UNK), ``melanoma`` and
``seborrheic_keratosis`` (2017), ``diagnosis`` with ``benign_malignant`` (2020), the archive's ``diagnosis_1`` to
``diagnosis_5``, a column ``dx`` or ``diagnosis``, and the table of 2016, which has no header.
"""

from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.tables import DataError, Row, Table, first_of, number
from mlmodel.pictures.picture_files import stem_of
from mlmodel.taxonomy import CODES, ISIC_ORDER

IMAGE = ("image", "image_id", "isic_id", "image_name", "img_id", "filename", "file")
LESION = ("lesion_group", "lesion", "lesion_id")
DIAGNOSIS = ("dx", "diagnosis", "diagnostic")
# The archive's columns, the most specific first.
_ARCHIVE = ("diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis_1")
_MALIGNANCY = ("benign_malignant", "diagnosis_1")
# Labels of photographs whose class is unknown but whose malignancy is known.
BENIGN, MALIGNANT = "benign", "malignant"
_UNSPECIFIED = frozenset({"unknown", "unk", "indeterminate", ""})


def with_names(table: Table) -> Table:
    """Return the table with column names, which the table of 2016 lacks; other tables are returned unchanged."""
    first, *others = table.columns
    if len(others) != 1 or not first.startswith("isic_") or not _malignancy(others[0]):
        return table
    # Column names are read in lower case; the archive writes its identifiers in capitals.
    rows = [Row({"image": first.upper(), "benign_malignant": others[0]}, 1)]
    rows += [Row({"image": row[first], "benign_malignant": row[others[0]]}, row.line) for row in table.rows]
    return Table(table.path, ("image", "benign_malignant"), tuple(rows), table.notes)


def says_diagnoses(table: Table) -> bool:
    """Whether the table has diagnoses."""
    known = {*DIAGNOSIS, *_ARCHIVE, *_MALIGNANCY}
    return bool(known & set(table.columns)) or len(_class_columns(table)) > 1


def image_names(table: Table) -> list[str]:
    """Return the image name of each row, without folders and file extension.

    Raises:
        DataError: no column has image names, or a row has no name or a repeated one.
    """
    table.require_one_of(IMAGE)
    seen: set[str] = set()
    names = []
    for row in table.rows:
        name = image_name(row)
        if not name:
            raise DataError(f"{table.path}, line {row.line}: the photograph has no name.")
        if name in seen:
            raise DataError(f"{table.path}, line {row.line}: {name} is listed twice. Keep one row per photograph.")
        seen.add(name)
        names.append(name)
    return names


def image_name(row: Row) -> str:
    """Return the image name of a row, without folders and file extension."""
    return stem_of(first_of(row, IMAGE))


def diagnoses(table: Table) -> list[str]:
    """Return the diagnosis of each row.

    Returns:
        One of the seven codes; "scc"; ``BENIGN`` or ``MALIGNANT`` where only that is known; "unk"; or another
        diagnosis, as written in the table but in lower case.

    Raises:
        DataError: there are no such columns, or a row has no diagnosis or two.
    """
    if any(name in table.columns for name in DIAGNOSIS):
        return [_by_name(table, row, DIAGNOSIS) for row in table.rows]
    if any(name in table.columns for name in _ARCHIVE):
        return [_by_name(table, row, _ARCHIVE) for row in table.rows]
    classes = _class_columns(table)
    if set(classes.values()) == {"mel", "bkl"}:
        return [_of_three(table, row, classes) for row in table.rows]
    if not classes and "benign_malignant" in table.columns:
        return [_by_name(table, row, ()) for row in table.rows]
    table.require(code for code in ISIC_ORDER if code not in classes.values())
    return [_only_class(table, row, classes) for row in table.rows]


def written_diagnosis(row: Row) -> str:
    """Return the diagnosis as written in the table, or an empty string if it has one column per class."""
    return first_of(row, (*DIAGNOSIS, *_ARCHIVE))


def _by_name(table: Table, row: Row, columns: tuple[str, ...]) -> str:
    """Return the most specific diagnosis in the columns, or benign or malignant if there is none."""
    written = first_of(row, columns)
    for name in columns:
        if (code := code_of_diagnosis(row.get(name, ""))) in (*CODES, "scc"):
            return code
    code_or_name = code_of_diagnosis(written)
    if code_or_name not in _UNSPECIFIED and not _malignancy(code_or_name):
        return code_or_name
    malignancy = _malignancy(code_or_name) or _malignancy(first_of(row, _MALIGNANCY))
    if not malignancy and not written:
        where = columns[0] if columns else "benign_malignant"
        raise DataError(f"{table.path}, line {row.line}: {where} is empty.")
    return malignancy or "unk"


def _malignancy(text: str) -> str:
    return {"benign": BENIGN, "malignant": MALIGNANT, "0.0": BENIGN, "1.0": MALIGNANT}.get(text.lower(), "")


def _class_columns(table: Table) -> dict[str, str]:
    """Return the columns that stand for one class each, with their codes."""
    columns = {name: code_of_diagnosis(name) for name in table.columns}
    return {name: code for name, code in columns.items() if code in (*ISIC_ORDER, "scc", "unk")}


def _of_three(table: Table, row: Row, classes: dict[str, str]) -> str:
    """Return the class from the two columns of 2017: if neither is 1, it is a nevus."""
    positive = _ones(table, row, classes)
    if len(positive) > 1:
        raise DataError(f"{table.path}, line {row.line}: both classes are 1; a photograph has only one.")
    return positive[0] if positive else "nv"


def _only_class(table: Table, row: Row, classes: dict[str, str]) -> str:
    positive = _ones(table, row, classes)
    if len(positive) != 1:
        raise DataError(
            f"{table.path}, line {row.line}: {len(positive)} classes are 1; exactly one must be. Remove photographs "
            "without a diagnosis of these classes, or give them 1 in a column SCC or UNK."
        )
    return positive[0]


def _ones(table: Table, row: Row, classes: dict[str, str]) -> list[str]:
    positive = []
    for column, code in classes.items():
        where = f"{table.path}, line {row.line}: {column.upper()} is"
        try:
            value = number(row[column])
        except ValueError as error:
            raise DataError(f"{where} “{row[column][:20]}”; it must be 0 or 1.") from error
        if value not in (0.0, 1.0):
            raise DataError(
                f"{where} {value:g}; it must be 0 or 1. Is this a file of predictions instead of the ground truth?"
            )
        if value:
            positive.append(code)
    return positive
