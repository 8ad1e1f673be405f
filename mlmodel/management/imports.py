"""Shared by the import commands: a progress bar, and the report of the outcome."""

from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

from mlmodel.counted import counted
from mlmodel.datasets.import_manifest import Imported

_SHOWN = 5
_MEANINGS = {
    "missing": (
        "photograph in the table has no file and is",
        "photographs in the table have no file and are",
        "excluded",
    ),
    "broken": ("photograph cannot be decoded and is", "photographs cannot be decoded and are", "excluded"),
    "refused": ("row cannot be used and is", "rows cannot be used and are", "excluded"),
    "unlisted": ("file is in no row and is", "files are in no row and are", "ignored"),
    "twins": ("pair", "pairs", "of identical files from different lesions"),
}


def with_progress(rows: Iterable[Any]) -> Iterable[Any]:
    """Return the rows with a progress bar, if the output is a terminal."""
    return tqdm(rows, unit="photograph", disable=None)


def outcome_lines(imported: Imported) -> Iterator[str]:
    """Yield the lines that report an import."""
    yield from imported.findings.notes
    for name, entries in imported.findings.as_dict().items():
        if entries and name in _MEANINGS:
            rest = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
            one, many, outcome = _MEANINGS[name]
            yield f"{counted(len(entries), one, many)} {outcome}: {'; '.join(entries[:_SHOWN])}{rest}."
    classes = ", ".join(f"{code} {count}" for code, count in imported.counts.items())
    yield f"{sum(imported.counts.values())} photographs ({classes})."
    yield f"{imported.manifest} is {'written' if imported.is_new else 'unchanged'}; its hash is {imported.sha256}."
