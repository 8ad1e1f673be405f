"""Is what came back fit to be shown? Strict, because nobody reads it before the patient does."""

import json
import re
import unicodedata
from collections.abc import Mapping

from mlmodel.explanations.explained import SECTIONS
from mlmodel.explanations.languages import Language

NAMES: tuple[str, ...] = ("urgency", *SECTIONS)
# Chinese says in 20 characters what English says in 60.
FEWEST_CHARACTERS: Mapping[str, int] = {"urgency": 4, **dict.fromkeys(SECTIONS, 20)}
MOST_CHARACTERS: Mapping[str, int] = {"urgency": 400, **dict.fromkeys(SECTIONS, 6000)}
_HTML = re.compile(r"<[a-z!/?]|&(?:[a-z]{2,8}|#\w{1,6});", re.IGNORECASE)
_LINK = re.compile(r"https?://|www\.|\]\(", re.IGNORECASE)
_MARKDOWN = re.compile(r"\*\*|__|^#{1,6}\s+", re.MULTILINE)
_BULLET = re.compile(r"^ *[-*•] +", re.MULTILINE)
# These turn the direction of the text around them, and so can make it say something else.
_OVERRIDES = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


class UnusableExplanation(ValueError):
    """The answer cannot be shown. The message says why, in our words only."""


def read_answer(text: str, *, language: Language) -> dict[str, str]:
    """Return the eight texts of an answer, tidied.

    Raises:
        UnusableExplanation: it is not JSON, or not complete, or holds what no explanation holds.
    """
    try:
        content = json.loads(text)
    except ValueError:
        raise UnusableExplanation("not JSON") from None
    return check_texts(content, language=language)


def check_texts(content: object, *, language: Language) -> dict[str, str]:
    """Check texts that were read from an answer or from the cache, and return them tidied.

    Raises:
        UnusableExplanation: as ``read_answer``.
    """
    if not isinstance(content, dict) or set(content) != set(NAMES):
        raise UnusableExplanation("not the agreed sections")
    texts = {name: _checked(name, content[name]) for name in NAMES}
    if not _is_written_in(language, "".join(texts.values())):
        raise UnusableExplanation("not in the language asked for")
    return texts


def _checked(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UnusableExplanation(f"{name} is not a text")
    text = _tidied(value)
    if not FEWEST_CHARACTERS[name] <= len(text) <= MOST_CHARACTERS[name]:
        raise UnusableExplanation(f"{name} has {len(text)} characters")
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign != "\n" for sign in text) or _OVERRIDES & set(text):
        raise UnusableExplanation(f"{name} holds control characters")
    if _HTML.search(text) or _LINK.search(text):
        raise UnusableExplanation(f"{name} holds mark-up or a link")
    return text


def _tidied(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\t", " ")
    text = _BULLET.sub("• ", _MARKDOWN.sub("", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _is_written_in(language: Language, text: str) -> bool:
    """Tell whether most letters are of the language's script; Latin scripts are not told apart."""
    letters = [sign for sign in text if sign.isalpha()]
    scripts = language.scripts or ("LATIN",)
    # The condition's names and the criteria's may rightly stay in Latin letters.
    return sum(unicodedata.name(sign, "").startswith(scripts) for sign in letters) * 2 > len(letters)
