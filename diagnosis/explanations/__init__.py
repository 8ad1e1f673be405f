"""What a condition is, told to a patient or a clinician: by Gemini where a key is set, else by the library."""

from .blocks import Block, blocks
from .explained import SECTION_TITLES, SECTIONS, Explained, Source
from .languages import LANGUAGE_CHOICES, LANGUAGES, Language, language_of
from .service import explain, request_explanation, write_and_keep

__all__ = [
    "LANGUAGES",
    "LANGUAGE_CHOICES",
    "SECTIONS",
    "SECTION_TITLES",
    "Block",
    "Explained",
    "Language",
    "Source",
    "blocks",
    "explain",
    "language_of",
    "request_explanation",
    "write_and_keep",
]
