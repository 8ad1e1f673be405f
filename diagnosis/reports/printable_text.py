"""Check before signing that installed fonts can print every letter, so that no name is printed as boxes."""

import ctypes
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused

_MOST_DESCRIBED = 10
MOST_PICTOGRAMS = 200
# Blocks of colour emoji, and the variation selector that requests colour.
_PICTOGRAM = re.compile("[\u231a-\u23ff\u25fd\u25fe\u2600-\u27bf\u2b05-\u2b55\ufe0f\U0001f000-\U0001faff]")
_LINE_ENDS = "\n\r\v\f\x85\u2028\u2029"


class LettersCannotBePrinted(Refused):
    code = "letters_cannot_be_printed"

    def __init__(self, letters: Iterable[str]) -> None:
        super().__init__(
            _(
                "No installed font can print: %(letters)s. Use other letters, or ask the operator to install a font "
                "that has them. Nothing was signed."
            )
            % {"letters": describe_letters(letters)}
        )


class TooManyPictograms(Refused):
    code = "too_many_pictograms"

    def __init__(self) -> None:
        super().__init__(
            _("There are more than %(most)d pictograms (emoji) in this text. Replace them with words.")
            % {"most": MOST_PICTOGRAMS}
        )


def ensure_printable(content: Any) -> None:
    """Check that all text of ``content`` can be printed. Raises ``LettersCannotBePrinted``, ``TooManyPictograms``."""
    ensure_few_pictograms(content)
    if letters := unprintable_letters(content):
        raise LettersCannotBePrinted(letters)


def ensure_few_pictograms(content: Any) -> None:
    """Check that laying out ``content`` takes seconds. Raises ``TooManyPictograms``.

    Each pictogram is a picture of its own in the PDF, and ten thousand of them take a minute.
    """
    if has_many_pictograms(content):
        raise TooManyPictograms


def has_many_pictograms(content: Any) -> bool:
    return sum(len(_PICTOGRAM.findall(text)) for text in _texts(content)) > MOST_PICTOGRAMS


def without_controls(content: Any) -> Any:
    """Return ``content`` with spaces for control characters, which print as boxes; tabs and line ends stay."""
    if isinstance(content, str):
        return "".join(
            " " if unicodedata.category(letter) == "Cc" and letter not in "\t\n" else letter for letter in content
        )
    if isinstance(content, dict):
        return {key: without_controls(value) for key, value in content.items()}
    if isinstance(content, list):
        return [without_controls(value) for value in content]
    return content


def unprintable_letters(content: Any) -> list[str]:
    """Return the letters of ``content`` that would be printed as boxes, each once, in order.

    Uses the fonts that fontconfig finds, as the layout of a report does.
    """
    letters = dict.fromkeys(letter for text in _texts(content) for letter in text if letter > "\u024f" or letter < " ")
    candidates = [letter for letter in letters if letter not in _LINE_ENDS and letter != "\t"]
    if not _count_unknown("".join(candidates)):
        return []
    return [letter for letter in candidates if _count_unknown(letter)]


def describe_letters(letters: Iterable[str]) -> str:
    """Return the first letters with their Unicode numbers and names, in case the screen shows boxes too."""
    listed = list(letters)
    described = [
        f"“{letter}” (" + f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip() + ")"
        for letter in listed[:_MOST_DESCRIBED]
    ]
    return ", ".join(described) + (" …" if len(listed) > _MOST_DESCRIBED else "")


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _count_unknown(text: str) -> int:
    """Return how many glyphs of ``text`` no font has, according to Pango."""
    if not text:
        return 0
    encoded = text.encode("utf-8", "replace")
    with _lock:  # Pango's contexts are not thread-safe
        pango, gobject, context = _pango()
        layout = pango.pango_layout_new(context)
        try:
            pango.pango_layout_set_text(layout, encoded, len(encoded))
            return int(pango.pango_layout_get_unknown_glyphs_count(layout))
        finally:
            gobject.g_object_unref(layout)


_lock = threading.Lock()


@cache
def _pango() -> tuple[Any, Any, int]:
    """Pango, GObject, and a Pango context with the installed fonts."""
    pango, pangoft2, gobject = (
        ctypes.CDLL(f"lib{name}.so.0") for name in ("pango-1.0", "pangoft2-1.0", "gobject-2.0")
    )
    pointer = ctypes.c_void_p
    pangoft2.pango_ft2_font_map_new.restype = pointer
    pango.pango_font_map_create_context.restype = pointer
    pango.pango_font_map_create_context.argtypes = [pointer]
    pango.pango_layout_new.restype = pointer
    pango.pango_layout_new.argtypes = [pointer]
    pango.pango_layout_set_text.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int]
    pango.pango_layout_get_unknown_glyphs_count.argtypes = [pointer]
    gobject.g_object_unref.argtypes = [pointer]
    return pango, gobject, pango.pango_font_map_create_context(pangoft2.pango_ft2_font_map_new())
