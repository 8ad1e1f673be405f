"""The data structure of an explanation, from the library or from Gemini."""

from dataclasses import dataclass
from enum import StrEnum

from mlmodel.explanations.languages import language_of


class Source(StrEnum):
    """The author of the text."""

    LIBRARY = "library"
    GEMINI = "gemini"


# Section keys of the API, the cache and the library's files, in reading order.
SECTIONS = (
    "what_it_is",
    "causes",
    "symptoms",
    "told_apart_by",
    "prevention",
    "treatment",
    "when_to_seek_care",
)


@dataclass(frozen=True)
class Explained:
    """One condition, explained in one language at one reading level.

    All texts are plain text and must be escaped. Blank lines separate paragraphs and "• " begins a list item;
    ``blocks`` parses both.
    """

    code: str
    # The language of the text; always English for the library.
    language: str
    reading_level: str
    # One sentence on how soon the lesion should be seen.
    urgency: str
    sections: dict[str, str]
    # (title, https address) of the pages on which the library's text, and Gemini's retelling of it, are based.
    sources: list[tuple[str, str]]
    source: Source
    # The language model that wrote it; None for the library.
    model_name: str | None = None

    @property
    def direction(self) -> str:
        """The value of HTML's ``dir`` attribute: "rtl" or "ltr"."""
        return "rtl" if language_of(self.language).right_to_left else "ltr"
