"""Import HAM10000: find its photographs, check every one, settle lesions and folds, and write a manifest.

Tschandl, Rosendahl, Kittler, Sci. Data 5:180161 (2018). 18 pairs of its lesions are one lesion under two numbers
(Abhishek et al., 2024); they are merged, or they would leak between folds. Which fold a lesion lies in is written
down here, so that the locked test is the same lesions for everyone; a lesion that is not in the table gets a fold from
the hash of its name.
"""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlmodel.diagnosis_names import code_of_diagnosis
from mlmodel.picture_files import find_pictures, read_bytes, readable_name, stem_of, why_unreadable
from mlmodel.pictures import PictureError, decode
from mlmodel.tables import Row, Table, number, read_table
from mlmodel.taxonomy import CODES
from mlmodel.training.dataset import MANIFEST_COLUMNS, MANIFEST_FILE, SUMMARY_FILE, DatasetError

KAGGLE_DATASET = "kmader/skin-cancer-mnist-ham10000"
FOLDS = 10

_TABLES = Path(__file__).parent / "tables"
# As Kaggle, Dataverse (tabs) and people name them; the first that is there is read.
_TABLE_NAMES = ("metadata.csv", "ham10000_metadata.csv", "ham10000_metadata", "ham10000_metadata.tab",
                "ham10000_metadata.tsv", "ham10000_metadata.txt", "metadata.tsv", "metadata.tab")  # fmt: skip
_FOLDER_NAMES = ("images", "ham10000_images_part_1", "ham10000_images_part_2")
_NEEDED = ("image_id", "lesion_id", "dx")


@dataclass
class Findings:
    """What an import found. Photographs named under ``missing``, ``broken`` and ``refused`` are left out.

    Attributes:
        notes: what was left out of the table as it was read, in sentences.
        missing: in the table, but no such file.
        broken: files that cannot be decoded whole, with the reason.
        refused: rows that cannot be used, with the reason.
        unlisted: files that no row names; they are ignored.
        twins: photographs of different lesions with the same bytes.
    """

    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, list[str]]:
        return dict(vars(self))


@dataclass(frozen=True)
class Imported:
    """The outcome: where the manifest is, its hash, whether it changed, and what was found on the way."""

    manifest: Path
    sha256: str
    is_new: bool
    counts: dict[str, int]
    findings: Findings


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
        try:
            data = read_bytes(path)
            picture = decode(data)
        except (PictureError, OSError) as error:
            findings.broken.append(f"{readable_name(path.name)}: {why_unreadable(error)}")
            continue
        group = row.get("lesion_group") or duplicates.get(row["lesion_id"], row["lesion_id"])
        kept.append(
            {
                "image_id": row["image_id"],
                "path": str(path.resolve()),
                "sha256": hashlib.sha256(data).hexdigest(),
                "width": str(picture.width),
                "height": str(picture.height),
                "dx": row["dx"],
                "lesion_id": row["lesion_id"],
                "lesion_group": group,
                "age": row.get("age", ""),
                "sex": row.get("sex", ""),
                "localization": row.get("localization", ""),
                "source": row.get("source") or "sharp",
                "fold": _fold(row) or folds.get(group) or str(fold_of(group)),
            }
        )
    if not kept:
        raise DatasetError(f"None of the {len(rows)} photographs of the table can be used: {_first(findings)}.")
    _check_folds(kept)
    findings.twins = _twins(kept)
    return _write(kept, output, findings)


def fold_of(group: str) -> int:
    """Return the fold of a lesion that the table does not know, 0 to 9, from its name alone."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS


def _read_table(source: Path) -> Table:
    if not source.is_dir():
        raise DatasetError(f"There is no folder {source}. Give the folder that HAM10000 was unpacked to.")
    if readable_name(source.resolve()) != str(source.resolve()):
        raise DatasetError(f"The name of the folder {readable_name(source)} is not UTF-8. Rename it.")
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


def _check_folds(kept: list[dict[str, str]]) -> None:
    fold: dict[str, str] = {}
    for row in kept:
        if fold.setdefault(row["lesion_group"], row["fold"]) != row["fold"]:
            raise DatasetError(
                f"Lesion {row['lesion_group']} lies in folds {fold[row['lesion_group']]} and {row['fold']}: that "
                "would leak. Correct the table's fold column, or leave it out and folds are made."
            )


def _twins(kept: list[dict[str, str]]) -> list[str]:
    first: dict[str, dict[str, str]] = {}
    twins = []
    for row in kept:
        other = first.setdefault(row["sha256"], row)
        if other["lesion_group"] != row["lesion_group"]:
            twins.append(f"{other['image_id']} and {row['image_id']}")
    return twins


def _write(kept: list[dict[str, str]], output: Path, findings: Findings) -> Imported:
    output.mkdir(parents=True, exist_ok=True)
    manifest = output / MANIFEST_FILE
    partial = manifest.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=MANIFEST_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    content = partial.read_bytes()
    is_new = not manifest.exists() or manifest.read_bytes() != content
    partial.replace(manifest)
    counts = dict(sorted(Counter(row["dx"] for row in kept).items()))
    digest = hashlib.sha256(content).hexdigest()
    summary = {
        "manifest_sha256": digest,
        "photographs": len(kept),
        "lesions": len({row["lesion_group"] for row in kept}),
        "by_class": counts,
        "by_fold": dict(sorted(Counter(row["fold"] for row in kept).items())),
        "findings": findings.as_dict(),
    }
    (output / SUMMARY_FILE).write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Imported(manifest=manifest, sha256=digest, is_new=is_new, counts=counts, findings=findings)


def _table(name: str) -> dict[str, str]:
    with (_TABLES / name).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        return {row[0]: row[1] for row in reader}


def _first(findings: Findings) -> str:
    for name, found in findings.as_dict().items():
        if found and name not in ("unlisted", "notes"):
            return f"{name}: {found[0]}"
    return "the table is empty"
