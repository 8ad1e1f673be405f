"""What the import commands share: a progress bar, and what they say of the outcome."""

from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

from mlmodel.counted import counted
from mlmodel.datasets.import_manifest import Imported

_SHOWN = 5
_MEANINGS = {
    "missing": (
        "photograph of the table has no file and is",
        "photographs of the table have no file and are",
        "left out",
    ),
    "broken": ("photograph cannot be decoded and is", "photographs cannot be decoded and are", "left out"),
    "refused": ("row cannot be used and is", "rows cannot be used and are", "left out"),
    "unlisted": ("file is in no row and is", "files are in no row and are", "ignored"),
    "twins": ("pair", "pairs", "of photographs of different lesions, each the same file twice"),
}


def watched(rows: Iterable[Any]) -> Iterable[Any]:
    """Show how far an import is, where somebody looks."""
    return tqdm(rows, unit="photograph", disable=None)


def told(found: Imported) -> Iterator[str]:
    """Yield what an import found, a line each."""
    yield from found.findings.notes
    for name, entries in found.findings.as_dict().items():
        if entries and name in _MEANINGS:
            rest = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
            one, many, outcome = _MEANINGS[name]
            yield f"{counted(len(entries), one, many)} {outcome}: {'; '.join(entries[:_SHOWN])}{rest}."
    classes = ", ".join(f"{code} {count}" for code, count in found.counts.items())
    yield f"{sum(found.counts.values())} photographs ({classes})."
    yield f"{found.manifest} is {'written' if found.is_new else 'unchanged'}; its hash is {found.sha256}."
