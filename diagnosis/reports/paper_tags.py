"""Filters that print typed text in a PDF completely, in a time that is bounded by its length."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# More lines would take minutes to lay out; the lines of a longer text are joined, with a mark between them.
MOST_LINES = 300
END_OF_LINE = " ¶ "
# Longer than any word of a language, shorter than any column.
LONGEST_PIECE = 30
_JOINERS = "\u200d\u200c"
# Not an isolate: WeasyPrint lays out each line separately, so an isolate would end with the line.
_LEFT_TO_RIGHT = "\u200e"


@register.filter
def on_paper(text: str) -> SafeString:
    """Return typed text as blocks, one for each line, or nothing; consecutive empty lines are merged."""
    if not str(text).strip():
        return mark_safe("")
    lines = _without_repeated_blanks(re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", str(text).strip()))
    if len(lines) > MOST_LINES:
        lines = [END_OF_LINE.join(line for line in lines if line)]
    return format_html_join(
        "", '<div class="line{}">{}</div>', ((_direction(line), _breakable(line)) for line in lines)
    )


@register.filter
def inline_text(text: str) -> str:
    """Return typed text for use within a line, so that right-to-left text does not move the numbers after it."""
    is_mixed = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in str(text))
    return f"{text}{_LEFT_TO_RIGHT}" if is_mixed else text


def _breakable(text: str) -> SafeString:
    words = re.split(r"(\s+)", str(text))
    return format_html_join("", "{}", ((_broken(word),) for word in words)) or mark_safe("&nbsp;")


def _broken(word: str) -> str:
    if len(word) <= LONGEST_PIECE:
        return word
    return format_html_join(mark_safe("<wbr>"), "{}", ((piece,) for piece in _pieces(word)))


def _pieces(word: str) -> Iterator[str]:
    """Cut a word into pieces, but not between a letter and its marks or next to a joiner."""
    start = 0
    for at in range(1, len(word)):
        is_joined = word[at] in _JOINERS or word[at - 1] in _JOINERS or unicodedata.category(word[at]).startswith("M")
        if at - start >= LONGEST_PIECE and not is_joined:
            yield word[start:at]
            start = at
    yield word[start:]


def _without_repeated_blanks(lines: list[str]) -> list[str]:
    merged: list[str] = []
    for is_text, same in groupby(lines, key=lambda line: bool(line.strip())):
        merged += same if is_text else [""]
    return merged


def _direction(line: str) -> str:
    """The CSS class of the line: its first strong character decides the direction (UAX 9, P2)."""
    first = next((way for way in map(unicodedata.bidirectional, line) if way in ("L", "R", "AL")), "L")
    return "" if first == "L" else " rtl"
