"""Import HAM10000: find its photographs, check every one, settle lesions and folds, and write a manifest.

Tschandl, Rosendahl, Kittler, Sci. Data 5:180161 (2018). 18 pairs of its lesions are one lesion under two numbers
(Abhishek et al., 2024); they are merged, or they would leak between folds. Which fold a lesion lies in is written
down here, so that the locked test is the same lesions for everyone; a lesion that is not in the table gets a fold from
the hash of its name.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mlmodel.datasets.dataset import COPIES, DatasetError
from mlmodel.datasets.diagnosis_names import code_of_diagnosis
from mlmodel.datasets.import_manifest import Findings, Imported, checked_photograph, fold_of, write_manifest
from mlmodel.datasets.tables import Row, Table, number, read_table
from mlmodel.pictures.picture_files import find_pictures, readable_name, stem_of
from mlmodel.releases.sources import HAM10000 as SOURCE
from mlmodel.taxonomy import CODES

KAGGLE_DATASET = "kmader/skin-cancer-mnist-ham10000"
LICENCE = "CC BY-NC 4.0"

_TABLES = Path(__file__).parent / "ham10000_tables"
# As Kaggle, Dataverse (tabs) and people name them; the first that is there is read.
_TABLE_NAMES = ("metadata.csv", "ham10000_metadata.csv", "ham10000_metadata", "ham10000_metadata.tab",
                "ham10000_metadata.tsv", "ham10000_metadata.txt", "metadata.tsv", "metadata.tab")  # fmt: skip
_FOLDER_NAMES = ("images", "ham10000_images_part_1", "ham10000_images_part_2")
_NEEDED = ("image_id", "lesion_id", "dx")


def _table(name: str) -> dict[str, str]:
    with (_TABLES / name).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        return {row[0]: row[1] for row in reader}


# All lesions of HAM10000, which other collections of the ISIC archive hold too.
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
        watch: wraps the rows that are gone through, for a progress bar.

    Raises:
        DataError: there is no table, it lacks columns, or nothing of it can be used.
    """
    table = _read_table(source)
    rows = [_in_our_words(row) for row in table.rows]
    files = _find_files(source)
    findings = Findings(notes=list(table.notes), unlisted=sorted(set(files) - {row["image_id"] for row in rows}))
    duplicates = _table("ham10000_duplicates.csv")
    folds = _table("ham10000_folds.csv")
    kept = []
    for row in watch(_usable(rows, findings)):
        path = files.get(row["image_id"])
        if path is None:
            findings.missing.append(row["image_id"])
            continue
        checked = checked_photograph(path, findings)
        if checked is None:
            continue
        group = row.get("lesion_group") or duplicates.get(row["lesion_id"], row["lesion_id"])
        kept.append(
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
    if not kept:
        raise DatasetError(f"None of the {len(rows)} photographs of the table can be used: {findings.first()}.")
    return write_manifest(kept, output, findings)


def _read_table(source: Path) -> Table:
    if not source.is_dir():
        raise DatasetError(f"There is no folder {source}. Give the folder that HAM10000 was unpacked to.")
    if readable_name(source.resolve()) != str(source.resolve()):
        raise DatasetError(
            f"The name of the folder {readable_name(source)} is not UTF-8 or has control characters. Rename it."
        )
    path = _first_named(source, _TABLE_NAMES, Path.is_file)
    if path is None:
        raise DatasetError(f"{source} holds neither HAM10000_metadata.csv nor metadata.csv (or .tab, .tsv).")
    table = read_table(path)
    table.require(_NEEDED)
    return table


def _first_named(source: Path, names: tuple[str, ...], fits: Callable[[Path], bool]) -> Path | None:
    """Return what has the first of the names, whatever its case."""
    there = {path.name.lower(): path for path in sorted(source.iterdir()) if fits(path)}
    return next((there[name] for name in names if name in there), None)


def _in_our_words(row: Row) -> Row:
    """Return a row with the photograph's name without ending, and the diagnosis as one of our codes if it is one."""
    return Row({**row, "image_id": stem_of(row["image_id"]), "dx": code_of_diagnosis(row["dx"])}, row.line)


def _find_files(source: Path) -> dict[str, Path]:
    """Return photographs by image id. Kaggle's archive holds each part twice, one inside the other: the first wins."""
    files: dict[str, Path] = {}
    for name in _FOLDER_NAMES:
        folder = _first_named(source, (name,), Path.is_dir)
        for path in find_pictures(folder).pictures if folder else []:
            files.setdefault(readable_name(path.stem), path)
    if not files:
        raise DatasetError(f"{source} holds no photographs: neither images/ nor HAM10000_images_part_1 and _part_2.")
    return files


def _copy(row: Row) -> str:
    """Return how the copy was recovered; tables of ours have had it as the source."""
    return row.get("source", "") if row.get("source") in COPIES else "sharp"


def _fold(row: dict[str, str]) -> str:
    """Return the fold that the table gives, as an integer; nothing without one. ``_usable`` has checked it."""
    return str(int(number(row["fold"]))) if row.get("fold") else ""


def _is_fold(text: str) -> bool:
    try:
        return number(text).is_integer()
    except ValueError:
        return False


def _usable(rows: list[Row], findings: Findings) -> list[Row]:
    """Leave out rows without a known diagnosis or a lesion, repeated rows, and lesions that carry two diagnoses."""
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
            findings.refused.append(f"{where}: this image_id came before")
        elif len(diagnoses[row["lesion_id"]]) > 1:
            findings.refused.append(f"{where}: its lesion carries {' and '.join(sorted(diagnoses[row['lesion_id']]))}")
        elif row.get("fold") and not _is_fold(row["fold"]):
            findings.refused.append(f"{where}: “{row['fold']}” is no fold")
        else:
            seen.add(row["image_id"])
            usable.append(row)
    return usable
