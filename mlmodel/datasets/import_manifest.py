"""The manifest of imported training data: a table with one row for every usable photograph."""

import csv
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from mlmodel.datasets.dataset import MANIFEST_COLUMNS, MANIFEST_FILE, SUMMARY_FILE, DatasetError
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import read_bytes, readable_name, why_unreadable

FOLDS = 10


@dataclass
class Findings:
    """Problems found by an import. Photographs in ``missing``, ``broken`` and ``refused`` are excluded.

    Attributes:
        notes: sentences on what was excluded while the tables were read.
        missing: in the table, but without a file.
        broken: files that cannot be decoded completely, with the reason.
        refused: rows that cannot be used, with the reason.
        unlisted: files that are in no row; they are ignored.
        twins: identical files of different lesions.
    """

    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, list[str]]:
        return dict(vars(self))

    def first(self) -> str:
        """Return the first problem, for an error message."""
        for name, entries in self.as_dict().items():
            if entries and name not in ("unlisted", "notes"):
                return f"{name}: {entries[0]}"
        return "the table is empty"


@dataclass(frozen=True)
class Imported:
    """The result of an import: the manifest with its hash, whether it changed, counts by class and problems."""

    manifest: Path
    sha256: str
    is_new: bool
    counts: dict[str, int]
    findings: Findings


@dataclass(frozen=True)
class Checked:
    """A photograph that can be decoded completely."""

    path: Path
    sha256: str
    width: int
    height: int


def checked_photograph(path: Path, findings: Findings) -> Checked | None:
    """Return a decoded photograph, or None after adding an undecodable one to ``findings.broken``."""
    try:
        data = read_bytes(path)
        picture = decode(data)
    except (PictureError, OSError) as error:
        findings.broken.append(f"{readable_name(path.name)}: {why_unreadable(error)}")
        return None
    return Checked(path.resolve(), hashlib.sha256(data).hexdigest(), picture.width, picture.height)


def fold_of(group: str) -> int:
    """Return the fold, 0 to 9, of a lesion without one in a table, from the hash of its name."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS


def write_manifest(kept: list[dict[str, str]], output: Path, findings: Findings) -> Imported:
    """Write ``manifest.csv`` and ``summary.json`` to ``output``; the same rows give the same bytes.

    Args:
        kept: rows with ``MANIFEST_COLUMNS``.
        output: a folder, created if needed.
        findings: what was excluded; duplicates among the rows are added.

    Raises:
        DatasetError: a lesion is in two folds.
    """
    _check_folds(kept)
    findings.twins = _duplicates(kept)
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
        "by_source": dict(sorted(Counter(row["source"] for row in kept).items())),
        "by_fold": dict(sorted(Counter(row["fold"] for row in kept).items())),
        "findings": findings.as_dict(),
    }
    (output / SUMMARY_FILE).write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Imported(manifest=manifest, sha256=digest, is_new=is_new, counts=counts, findings=findings)


def _check_folds(rows: list[dict[str, str]]) -> None:
    fold: dict[str, str] = {}
    for row in rows:
        if fold.setdefault(row["lesion_group"], row["fold"]) != row["fold"]:
            raise DatasetError(
                f"Lesion {row['lesion_group']} is in folds {fold[row['lesion_group']]} and {row['fold']}, which would "
                "be data leakage. Correct the fold column, or remove it to have folds assigned."
            )


def _duplicates(rows: list[dict[str, str]]) -> list[str]:
    first: dict[str, dict[str, str]] = {}
    twins = []
    for row in rows:
        other = first.setdefault(row["sha256"], row)
        if other["lesion_group"] != row["lesion_group"]:
            twins.append(f"{other['image_id']} and {row['image_id']}")
    return twins
