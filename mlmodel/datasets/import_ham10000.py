"""Import of HAM10000: check every photograph, assign lesions and folds, and write a manifest.

Tschandl, Rosendahl, Kittler, Sci. Data 5:180161 (2018). In 18 cases, one lesion has two numbers (Abhishek et al.,
2024); these are merged to prevent leakage between folds. The folds come from a fixed table, so that every import has
the same held-out test set; a lesion that is not in the table gets a fold from the hash of its name.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mlmodel.datasets.dataset import COPIES, DatasetError
from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.import_manifest import Findings, Imported, checked_photograph, fold_of, write_manifest
from mlmodel.datasets.tables import Row, Table, is_whole, number, read_table
from mlmodel.pictures.picture_files import find_pictures, readable_name, stem_of
from mlmodel.releases.sources import HAM10000 as SOURCE
from mlmodel.taxonomy import CODES

KAGGLE_DATASET = "kmader/skin-cancer-mnist-ham10000"
LICENCE = "CC BY-NC 4.0"

_TABLES = Path(__file__).parent / "ham10000_tables"
# Names used by Kaggle, Dataverse (tabs) and others; the first that exists is read.
_TABLE_NAMES = ("metadata.csv", "ham10000_metadata.csv", "ham10000_metadata", "ham10000_metadata.tab",
                "ham10000_metadata.tsv", "ham10000_metadata.txt", "metadata.tsv", "metadata.tab")  # fmt: skip
_FOLDER_NAMES = ("images", "ham10000_images_part_1", "ham10000_images_part_2")
_NEEDED = ("image_id", "lesion_id", "dx")


def _table(name: str) -> dict[str, str]:
    with (_TABLES / name).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        return {row[0]: row[1] for row in reader}


# All lesions of HAM10000; other collections of the ISIC archive contain some of them.
HAM10000_LESIONS = frozenset(_table("ham10000_folds.csv")) | frozenset(_table("ham10000_duplicates.csv"))


def import_ham10000(
    source: Path, output: Path, *, watch: Callable[[Iterable[Any]], Iterable[Any]] = lambda rows: rows
) -> Imported:
    """Check the data set in ``source`` and write ``manifest.csv`` and ``summary.json`` to ``output``.

    The photographs stay where they are. A second import of unchanged files writes the same bytes.

    Args:
        source: a folder in Kaggle's layout (``HAM10000_images_part_1``, ``_part_2``, ``HAM10000_metadata.csv``) or
            with ``metadata.csv`` and ``images``.
        output: the folder for the manifest.
        watch: wraps the iteration over the rows, for a progress bar.

    Raises:
        DataError: there is no table, columns are missing, or none of its rows can be used.
    """
    table = _read_table(source)
    rows = [_normalised(row) for row in table.rows]
    files = _find_files(source)
    findings = Findings(notes=list(table.notes), unlisted=sorted(set(files) - {row["image_id"] for row in rows}))
    duplicates = _table("ham10000_duplicates.csv")
    folds = _table("ham10000_folds.csv")
    usable_rows = []
    for row in watch(_usable(rows, findings)):
        path = files.get(row["image_id"])
        if path is None:
            findings.missing.append(row["image_id"])
            continue
        checked = checked_photograph(path, findings)
        if checked is None:
            continue
        group = row.get("lesion_group") or duplicates.get(row["lesion_id"], row["lesion_id"])
        usable_rows.append(
            {
                "image_id": row["image_id"],
                "path": str(checked.path),
                "sha256": checked.sha256,
                "width": str(checked.width),
                "height": str(checked.height),
                "dx": row["dx"],
                "lesion_id": row["lesion_id"],
                "lesion_group": group,
                "age": row.get("age", ""),
                "sex": row.get("sex", ""),
                "localization": row.get("localization", ""),
                "dx_type": row.get("dx_type", ""),
                "source": SOURCE,
                "copy": row.get("copy") or _copy(row),
                "licence": LICENCE,
                "fold": _fold(row) or folds.get(group) or str(fold_of(group)),
            }
        )
    if not usable_rows:
        raise DatasetError(f"None of the {len(rows)} photographs in the table can be used: {findings.first()}.")
    return write_manifest(usable_rows, output, findings)


def _read_table(source: Path) -> Table:
    if not source.is_dir():
        raise DatasetError(f"The folder {source} does not exist. Give the folder to which HAM10000 was unpacked.")
    if readable_name(source.resolve()) != str(source.resolve()):
        raise DatasetError(
            f"The folder name {readable_name(source)} is not UTF-8 or contains control characters. Rename the folder."
        )
    path = _first_named(source, _TABLE_NAMES, Path.is_file)
    if path is None:
        raise DatasetError(f"{source} contains neither HAM10000_metadata.csv nor metadata.csv (or .tab, .tsv).")
    table = read_table(path)
    table.require(_NEEDED)
    return table


def _first_named(source: Path, names: tuple[str, ...], fits: Callable[[Path], bool]) -> Path | None:
    """Return the entry with the first of the names that exists, ignoring case."""
    entries = {path.name.lower(): path for path in sorted(source.iterdir()) if fits(path)}
    return next((entries[name] for name in names if name in entries), None)


def _normalised(row: Row) -> Row:
    """Return a row with the image id without file extension and the diagnosis as a code if it has one."""
    return Row({**row, "image_id": stem_of(row["image_id"]), "dx": code_of_diagnosis(row["dx"])}, row.line)


def _find_files(source: Path) -> dict[str, Path]:
    """Return photographs by image id. Kaggle's archive contains each part twice, nested; the first file wins."""
    files: dict[str, Path] = {}
    for name in _FOLDER_NAMES:
        folder = _first_named(source, (name,), Path.is_dir)
        for path in find_pictures(folder).pictures if folder else []:
            files.setdefault(readable_name(path.stem), path)
    if not files:
        raise DatasetError(
            f"{source} contains no photographs: neither images/ nor HAM10000_images_part_1 and _part_2."
        )
    return files


def _copy(row: Row) -> str:
    """Return the quality of the file; older tables of ours have it in the source column."""
    return row.get("source", "") if row.get("source") in COPIES else "sharp"


def _fold(row: dict[str, str]) -> str:
    """Return the fold in the table, or an empty string; ``_usable`` has already validated it."""
    return str(int(number(row["fold"]))) if row.get("fold") else ""


def _usable(rows: list[Row], findings: Findings) -> list[Row]:
    """Return rows with a known diagnosis and a lesion, without repeated rows and lesions with two diagnoses."""
    diagnoses: dict[str, set[str]] = {}
    for row in rows:
        diagnoses.setdefault(row["lesion_id"], set()).add(row["dx"])
    seen: set[str] = set()
    usable = []
    for row in rows:
        where = f"row {row.line} ({row['image_id'] or 'no image_id'})"
        if not row["image_id"] or not row["lesion_id"]:
            findings.refused.append(f"{where}: image_id or lesion_id is empty")
        elif row["dx"] not in CODES:
            findings.refused.append(f"{where}: “{row['dx']}” is none of {', '.join(CODES)}")
        elif row["image_id"] in seen:
            findings.refused.append(f"{where}: duplicate image_id")
        elif len(diagnoses[row["lesion_id"]]) > 1:
            findings.refused.append(
                f"{where}: its lesion has the diagnoses {' and '.join(sorted(diagnoses[row['lesion_id']]))}"
            )
        elif row.get("fold") and not is_whole(row["fold"]):
            findings.refused.append(f"{where}: “{row['fold']}” is not a fold")
        else:
            seen.add(row["image_id"])
            usable.append(row)
    return usable
