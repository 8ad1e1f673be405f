"""The built-in library: one file per condition, written for this project from the sources it cites.

It needs no network and no key. Gemini is asked to retell it, so that both give the same information.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mlmodel.explanations.explained import SECTIONS
from mlmodel.explanations.reading_levels import READING_LEVELS
from mlmodel.taxonomy import CODES

FOLDER = Path(__file__).resolve().parent / "texts"
LANGUAGE = "en"


class LibraryError(ValueError):
    """A file of the library is missing, incomplete or malformed."""


@dataclass(frozen=True)
class Entry:
    """One condition at one reading level."""

    urgency: str
    sections: dict[str, str]
    sources: list[tuple[str, str]]


def entry_of(code: str, reading_level: str) -> Entry:
    """Return the library's entry for a condition and a reading level."""
    return _entries()[code, reading_level]


@cache
def _entries() -> dict[tuple[str, str], Entry]:
    """Return all entries, so that a broken file is noticed on the first use of any of them."""
    return {
        (code, level): entry
        for code in CODES
        for level, entry in read_file(FOLDER / f"{code}.toml", code=code).items()
    }


def read_file(path: Path, *, code: str) -> dict[str, Entry]:
    """Return the validated entries of one file by reading level.

    Raises:
        LibraryError: it is missing, has another condition's code, or lacks a section or its sources.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LibraryError(f"{path.name} cannot be read: {error}") from error
    if set(content) != {"code", *READING_LEVELS} or content["code"] != code:
        raise LibraryError(f"{path.name} must have the code {code} and one table for each reading level.")
    return {level: _entry(content[level], where=f"{path.name}, {level}") for level in READING_LEVELS}


def _entry(table: Any, *, where: str) -> Entry:
    if not isinstance(table, Mapping) or set(table) != {"urgency", "sources", *SECTIONS}:
        raise LibraryError(f"{where}: must have urgency, sources and exactly the sections {', '.join(SECTIONS)}.")
    texts = {name: _unwrapped(table[name], where=f"{where}, {name}") for name in ("urgency", *SECTIONS)}
    sources = [(source.get("title", ""), source.get("url", "")) for source in table["sources"]]
    if not sources or not all(title and url.startswith("https://") for title, url in sources):
        raise LibraryError(
            f"{where}: there must be at least one source, and every source needs a title and an https address."
        )
    return Entry(urgency=texts.pop("urgency"), sections=texts, sources=sources)


def _unwrapped(text: Any, *, where: str) -> str:
    """Return a text with one line per paragraph or list item; "- " begins an item, blank lines separate paragraphs."""
    if not isinstance(text, str) or not text.strip():
        raise LibraryError(f"{where}: is empty.")
    paragraphs = []
    for block in text.strip().split("\n\n"):
        lines: list[str] = []
        for line in block.splitlines():
            if line.startswith("- "):
                lines.append(f"• {line[2:].strip()}")
            elif lines:
                lines[-1] += f" {line.strip()}"
            else:
                lines.append(line.strip())
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)
