"""Import of the ISIC archive and its challenges (2016–2020, BCN20000) for training.

A folder may have the published layout: photographs at any depth, one or more tables of diagnoses, and tables of other
facts (age, lesions, how the diagnosis was confirmed). Each collection gets its own folds from the hash of the patient,
lesion or photograph, so that a fifth of every source is held out as a test set.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from mlmodel.datasets.dataset import COPIES, DatasetError
from mlmodel.datasets.import_ham10000 import HAM10000_LESIONS
from mlmodel.datasets.import_manifest import Checked, Findings, Imported, checked_photograph, fold_of, write_manifest
from mlmodel.datasets.isic_tables import (
    LESION,
    diagnoses,
    image_name,
    image_names,
    says_diagnoses,
    with_names,
    written_diagnosis,
)
from mlmodel.datasets.pictures_by_name import pictures_by_name
from mlmodel.datasets.tables import Table, first_of, is_whole, number, read_table
from mlmodel.metrics.partial_labels import LABELS
from mlmodel.pictures.picture_files import readable_name

_TABLE_ENDINGS = frozenset({".csv", ".tsv", ".tab"})
# Below this side, a file lacks the detail that the last training phase needs.
_SMALL_BELOW = 128
_PROOFS = {
    "histo": ("histo", "histopath", "biops"),
    "confocal": ("confocal",),
    "follow_up": ("follow", "serial imaging"),
    "consensus": ("consensus", "expert", "clinical"),
}

Facts = dict[str, str]


def import_isic(
    folder: Path,
    output: Path,
    *,
    source: str = "",
    licence: str = "",
    tables: Sequence[Path] = (),
    watch: Callable[[Iterable[Any]], Iterable[Any]] = lambda rows: rows,
) -> Imported:
    """Check the photographs below ``folder`` and write ``manifest.csv`` and ``summary.json`` to ``output``.

    The photographs stay where they are. A second import of unchanged files writes the same bytes.

    Args:
        folder: photographs and tables, as published.
        output: the folder for the manifest.
        source: the name of the collection; by default the column ``source``, or else the folder's name.
        licence: the licence, where no table states it.
        tables: the tables to read; by default all CSV files in the folder and one level below.
        watch: wraps the iteration, for a progress bar.

    Raises:
        DataError: no table has diagnoses, or none of the photographs can be used.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"The folder {folder} does not exist. Give the folder to which the photographs were unpacked."
        )
    if readable_name(folder.resolve()) != str(folder.resolve()):
        raise DatasetError(
            f"The folder name {readable_name(folder)} is not UTF-8 or contains control characters. Rename the folder."
        )
    findings = Findings()
    facts_of = _facts_by_photograph(tables or _tables_of(folder), folder, findings)
    files = pictures_by_name(folder)
    findings.unlisted = sorted(set(files) - set(facts_of))
    usable = _usable(facts_of, findings)
    lines = []
    for name in watch(usable):
        if name not in files:
            findings.missing.append(name)
        elif checked := checked_photograph(files[name], findings):
            lines.append(_line(name, facts_of[name], checked, source=source or folder.resolve().name, licence=licence))
    lines = _without_duplicates(lines, findings)
    if not lines:
        raise DatasetError(f"None of the {len(facts_of):,} photographs in the tables can be used: {findings.first()}.")
    return write_manifest(lines, output, findings)


def _tables_of(folder: Path) -> list[Path]:
    return sorted(
        path
        for pattern in ("*", "*/*")
        for path in folder.glob(pattern)
        if path.suffix.lower() in _TABLE_ENDINGS and path.is_file() and not path.name.startswith("._")
    )


def _facts_by_photograph(tables: Sequence[Path], folder: Path, findings: Findings) -> dict[str, Facts]:
    """Return the facts of all tables by photograph: ``dx`` is the label, ``written`` the table's own name for it."""
    truths: dict[str, Facts] = {}
    others: list[Table] = []
    for path in tables:
        table = with_names(read_table(path))
        findings.notes += table.notes
        if not says_diagnoses(table):
            others.append(table)
            continue
        for name, label, row in zip(image_names(table), diagnoses(table), table.rows, strict=True):
            if (before := truths.get(name)) and before["dx"] != label:
                raise DatasetError(f"{path}, line {row.line}: {name} is {label} here but {before['dx']} elsewhere.")
            facts = {column: value for column, value in row.items() if value}
            truths.setdefault(name, {}).update(facts, dx=label, written=written_diagnosis(row))
    if not truths:
        raise DatasetError(
            f"No table in {folder} has diagnoses. A table needs a column image (or isic_id, image_name) and either "
            "diagnosis or dx, or MEL, NV, BCC, AKIEC, BKL, DF, VASC with one 1 in each row."
        )
    for table in others:
        for row in table.rows:
            if facts := truths.get(image_name(row), {}):
                facts.update({column: value for column, value in row.items() if value and column not in facts})
    return truths


def _usable(facts_of: dict[str, Facts], findings: Findings) -> list[str]:
    """Return photographs of known classes, without those of HAM10000 and of lesions with two diagnoses."""
    labels: dict[str, set[str]] = {}
    for facts in facts_of.values():
        if lesion := first_of(facts, LESION):
            labels.setdefault(lesion, set()).add(facts["dx"])
    usable = []
    for name, facts in sorted(facts_of.items()):
        lesion = first_of(facts, LESION)
        if facts["dx"] not in LABELS:
            findings.refused.append(f"{name}: “{facts['written'] or facts['dx']}” is none of {', '.join(LABELS)}")
        elif lesion in HAM10000_LESIONS:
            findings.refused.append(f"{name}: its lesion is in HAM10000, which import_ham10000 reads")
        elif lesion and len(labels[lesion]) > 1:
            findings.refused.append(f"{name}: its lesion has the diagnoses {' and '.join(sorted(labels[lesion]))}")
        elif facts.get("fold") and not is_whole(facts["fold"]):
            findings.refused.append(f"{name}: “{facts['fold']}” is not a fold")
        else:
            usable.append(name)
    return usable


def _without_duplicates(lines: list[Facts], findings: Findings) -> list[Facts]:
    """Return one of each set of identical files, with lesions that share a file merged into one fold.

    Lesions that share a photograph but not the label are excluded: one of the labels must be wrong.
    """
    first: dict[str, Facts] = {}
    group_of: dict[str, str] = {}

    def group(lesion: str) -> str:
        while lesion in group_of:
            lesion = group_of[lesion]
        return lesion

    fold = {line["lesion_group"]: line["fold"] for line in lines}
    contradicted: set[str] = set()
    for line in lines:
        twin = first.setdefault(line["sha256"], line)
        one, other = group(twin["lesion_group"]), group(line["lesion_group"])
        if twin is line:
            continue
        if twin["dx"] != line["dx"]:
            contradicted |= {one, other}
        if one != other:
            group_of[other] = one
    contradicted = {group(lesion) for lesion in contradicted}
    merged = []
    for line in lines:
        lesion = group(line["lesion_group"])
        if lesion in contradicted:
            findings.refused.append(f"{line['image_id']}: the same file has another diagnosis elsewhere")
        elif first[line["sha256"]] is not line:
            findings.refused.append(f"{line['image_id']}: the same file as {first[line['sha256']]['image_id']}")
        else:
            merged.append({**line, "lesion_group": lesion, "fold": fold[lesion]})
    return merged


def _line(name: str, facts: Facts, checked: Checked, *, source: str, licence: str) -> Facts:
    lesion = first_of(facts, LESION) or name
    # All photographs of a patient are in one fold, where the patient is known.
    group = facts.get("patient_id") or lesion
    copy = facts.get("copy", "")
    return {
        "image_id": name,
        "path": str(checked.path),
        "sha256": checked.sha256,
        "width": str(checked.width),
        "height": str(checked.height),
        "dx": facts["dx"],
        "dx_type": _proof(first_of(facts, ("dx_type", "diagnosis_confirm_type"))),
        "lesion_id": first_of(facts, LESION),
        "lesion_group": lesion,
        "age": first_of(facts, ("age", "age_approx")),
        "sex": first_of(facts, ("sex", "gender")),
        "localization": first_of(
            facts, ("localization", "anatom_site_general", "anatom_site_general_challenge", "anatom_site_special")
        ),
        "source": facts.get("source") or source,
        "copy": copy if copy in COPIES else "small" if min(checked.width, checked.height) < _SMALL_BELOW else "sharp",
        "licence": first_of(facts, ("licence", "license", "copyright_license")) or licence,
        "fold": str(int(number(facts["fold"]))) if facts.get("fold") else str(fold_of(group)),
    }


def _proof(text: str) -> str:
    """Return how the diagnosis was confirmed, in HAM10000's terms, or an empty string."""
    method = text.lower()
    return next((proof for proof, signs in _PROOFS.items() if any(sign in method for sign in signs)), "")
