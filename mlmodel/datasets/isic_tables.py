"""Read which photograph shows what from the tables of the ISIC challenges and of its archive.

Known are: one column a class (2018 task 3, 2019 with AK, SCC and UNK), ``melanoma`` and ``seborrheic_keratosis``
(2017), ``diagnosis`` with ``benign_malignant`` (2020), the archive's ``diagnosis_1`` to ``diagnosis_5``, a column
``dx`` or ``diagnosis``, and the table of 2016 without a first line of names.
"""

from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.tables import DataError, Row, Table, first_of, number
from mlmodel.pictures.picture_files import stem_of
from mlmodel.taxonomy import CODES, ISIC_ORDER

IMAGE = ("image", "image_id", "isic_id", "image_name", "img_id", "filename", "file")
LESION = ("lesion_group", "lesion", "lesion_id")
DIAGNOSIS = ("dx", "diagnosis", "diagnostic")
# Of the archive, the most exact first.
_ARCHIVE = ("diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis_1")
_MALIGNANCY = ("benign_malignant", "diagnosis_1")
# What is known of a photograph whose class is not: that it is of some benign class, or of some malignant one.
BENIGN, MALIGNANT = "benign", "malignant"
_NOT_SAID = frozenset({"unknown", "unk", "indeterminate", ""})


def with_names(table: Table) -> Table:
    """Return the table with names of its columns where its first line was a row, as in 2016; else as it is."""
    first, *others = table.columns
    if len(others) != 1 or not first.startswith("isic_") or not _malignancy(others[0]):
        return table
    # Names of columns are read in lower case; the archive writes its identifiers in capitals.
    rows = [Row({"image": first.upper(), "benign_malignant": others[0]}, 1)]
    rows += [Row({"image": row[first], "benign_malignant": row[others[0]]}, row.line) for row in table.rows]
    return Table(table.path, ("image", "benign_malignant"), tuple(rows), table.notes)


def says_diagnoses(table: Table) -> bool:
    """Whether the table says what photographs show, and not just whose they are."""
    known = {*DIAGNOSIS, *_ARCHIVE, *_MALIGNANCY}
    return bool(known & set(table.columns)) or len(_class_columns(table)) > 1


def image_names(table: Table) -> list[str]:
    """Return the photograph of each row, without folders and ending.

    Raises:
        DataError: no column names photographs, or a row has no name, or one that came before.
    """
    table.require_one_of(IMAGE)
    seen: set[str] = set()
    names = []
    for row in table.rows:
        name = image_name(row)
        if not name:
            raise DataError(f"{table.path}, line {row.line}: the photograph has no name.")
        if name in seen:
            raise DataError(f"{table.path}, line {row.line}: {name} is there twice. Keep one row a photograph.")
        seen.add(name)
        names.append(name)
    return names


def image_name(row: Row) -> str:
    """Return what a row calls its photograph, without folders and ending."""
    return stem_of(first_of(row, IMAGE))


def diagnoses(table: Table) -> list[str]:
    """Return what each row's photograph shows.

    Returns:
        A code of the seven; "scc"; ``BENIGN`` or ``MALIGNANT`` where just that is known; "unk"; or another diagnosis,
        as the table has it in lower case.

    Raises:
        DataError: no columns say it, or a row says nothing or two things.
    """
    if any(name in table.columns for name in DIAGNOSIS):
        return [_by_words(table, row, DIAGNOSIS) for row in table.rows]
    if any(name in table.columns for name in _ARCHIVE):
        return [_by_words(table, row, _ARCHIVE) for row in table.rows]
    classes = _class_columns(table)
    if set(classes.values()) == {"mel", "bkl"}:
        return [_of_three(table, row, classes) for row in table.rows]
    if not classes and "benign_malignant" in table.columns:
        return [_by_words(table, row, ()) for row in table.rows]
    table.require(code for code in ISIC_ORDER if code not in classes.values())
    return [_only_class(table, row, classes) for row in table.rows]


def written_diagnosis(row: Row) -> str:
    """The diagnosis as the table has it; nothing where it has a column for each class."""
    return first_of(row, (*DIAGNOSIS, *_ARCHIVE))


def _by_words(table: Table, row: Row, columns: tuple[str, ...]) -> str:
    """Return the most exact thing that the columns say, and where they say nothing, benign or malignant."""
    said = first_of(row, columns)
    for name in columns:
        if (code := code_of_diagnosis(row.get(name, ""))) in (*CODES, "scc"):
            return code
    told = code_of_diagnosis(said)
    if told not in _NOT_SAID and not _malignancy(told):
        return told
    malignancy = _malignancy(told) or _malignancy(first_of(row, _MALIGNANCY))
    if not malignancy and not said:
        where = columns[0] if columns else "benign_malignant"
        raise DataError(f"{table.path}, line {row.line}: {where} is empty.")
    return malignancy or "unk"


def _malignancy(text: str) -> str:
    return {"benign": BENIGN, "malignant": MALIGNANT, "0.0": BENIGN, "1.0": MALIGNANT}.get(text.lower(), "")


def _class_columns(table: Table) -> dict[str, str]:
    """Return the columns that stand for one class each, with its code."""
    columns = {name: code_of_diagnosis(name) for name in table.columns}
    return {name: code for name, code in columns.items() if code in (*ISIC_ORDER, "scc", "unk")}


def _of_three(table: Table, row: Row, classes: dict[str, str]) -> str:
    """Return the class by 2017's two columns: where neither is 1, it is a nevus."""
    said = _ones(table, row, classes)
    if len(said) > 1:
        raise DataError(f"{table.path}, line {row.line}: both classes are 1; a photograph shows one.")
    return said[0] if said else "nv"


def _only_class(table: Table, row: Row, classes: dict[str, str]) -> str:
    said = _ones(table, row, classes)
    if len(said) != 1:
        raise DataError(
            f"{table.path}, line {row.line}: {len(said)} classes are 1, it must be exactly one. Leave photographs "
            "without a diagnosis of these classes out, or give them 1 in a column SCC or UNK."
        )
    return said[0]


def _ones(table: Table, row: Row, classes: dict[str, str]) -> list[str]:
    said = []
    for column, code in classes.items():
        where = f"{table.path}, line {row.line}: {column.upper()} is"
        try:
            value = number(row[column])
        except ValueError as error:
            raise DataError(f"{where} “{row[column][:20]}”; it must be 0 or 1.") from error
        if value not in (0.0, 1.0):
            raise DataError(f"{where} {value:g}; a truth must be 0 or 1. Was a file of predictions given as --truth?")
        if value:
            said.append(code)
    return said
