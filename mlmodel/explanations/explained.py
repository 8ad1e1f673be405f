"""What an explanation is made of, whoever wrote it."""

from dataclasses import dataclass
from enum import StrEnum

from mlmodel.explanations.languages import language_of


class Source(StrEnum):
    """Who wrote the words."""

    LIBRARY = "library"
    GEMINI = "gemini"


# In reading order. The keys are what the API, the cache and the library's files call the sections.
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

    All texts are plain: escape them as any other text. A blank line parts paragraphs, "• " begins an item of a list;
    ``blocks`` reads both.
    """

    code: str
    # The language the words are in, which is English whenever the library answers.
    language: str
    reading_level: str
    # One sentence: how soon to be seen.
    urgency: str
    sections: dict[str, str]
    # (title, https address) of the pages that the library's text rests on, and so Gemini's, which retells it.
    sources: list[tuple[str, str]]
    source: Source
    # The language model that wrote it; None for the library.
    model_name: str | None = None

    @property
    def direction(self) -> str:
        """What HTML's ``dir`` attribute asks for: "rtl" or "ltr"."""
        return "rtl" if language_of(self.language).right_to_left else "ltr"
