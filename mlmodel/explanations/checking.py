"""Validation of generated explanations. It is strict, because no one reviews them before the patient reads them."""

import json
import re
import unicodedata
from collections.abc import Mapping

from mlmodel.explanations.explained import SECTIONS
from mlmodel.explanations.languages import Language

NAMES: tuple[str, ...] = ("urgency", *SECTIONS)
# Chinese needs about a third as many characters as English.
FEWEST_CHARACTERS: Mapping[str, int] = {"urgency": 4, **dict.fromkeys(SECTIONS, 20)}
MOST_CHARACTERS: Mapping[str, int] = {"urgency": 400, **dict.fromkeys(SECTIONS, 6000)}
_HTML = re.compile(r"<[a-z!/?]|&(?:[a-z]{2,8}|#\w{1,6});", re.IGNORECASE)
_LINK = re.compile(r"https?://|www\.|\]\(", re.IGNORECASE)
_MARKDOWN = re.compile(r"\*\*|__|^#{1,6}\s+", re.MULTILINE)
_BULLET = re.compile(r"^ *[-*•] +", re.MULTILINE)
# These control characters change the text direction and could thereby change the apparent meaning.
_OVERRIDES = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


class UnusableExplanation(ValueError):
    """The answer cannot be shown. The message gives the reason and never quotes the answer."""


def read_answer(text: str, *, language: Language) -> dict[str, str]:
    """Return the eight texts of an answer, cleaned up.

    Raises:
        UnusableExplanation: it is not JSON, is incomplete, or has unacceptable content.
    """
    try:
        content = json.loads(text)
    except ValueError:
        raise UnusableExplanation("not JSON") from None
    return check_texts(content, language=language)


def check_texts(content: object, *, language: Language) -> dict[str, str]:
    """Return texts from an answer or the cache after validation and clean-up.

    Raises:
        UnusableExplanation: as ``read_answer``.
    """
    if not isinstance(content, dict) or set(content) != set(NAMES):
        raise UnusableExplanation("not the expected sections")
    texts = {name: _checked(name, content[name]) for name in NAMES}
    if not _uses_script_of(language, "".join(texts.values())):
        raise UnusableExplanation("not in the requested language")
    return texts


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UnusableExplanation(f"{name} is not a text")
    text = _cleaned(value)
    if not FEWEST_CHARACTERS[name] <= len(text) <= MOST_CHARACTERS[name]:
        raise UnusableExplanation(f"{name} has {len(text)} characters")
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign != "\n" for sign in text) or _OVERRIDES & set(text):
        raise UnusableExplanation(f"{name} contains control characters")
    if _HTML.search(text) or _LINK.search(text):
        raise UnusableExplanation(f"{name} contains markup or a link")
    return text


def _cleaned(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\t", " ")
    text = _BULLET.sub("• ", _MARKDOWN.sub("", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _uses_script_of(language: Language, text: str) -> bool:
    """Whether most letters are in the language's script; languages with Latin script are not distinguished."""
    letters = [sign for sign in text if sign.isalpha()]
    scripts = language.scripts or ("LATIN",)
    # Names of conditions and criteria may correctly stay in Latin letters.
    return sum(unicodedata.name(sign, "").startswith(scripts) for sign in letters) * 2 > len(letters)
