"""The stable hooks of a page: codes instead of sentences. ``wording`` marks the sentences that are tested as such."""

import html
import re
from collections import defaultdict
from html.parser import HTMLParser
from typing import Protocol, TypeAlias


class Answer(Protocol):
    """An answer of the test client."""

    @property
    def content(self) -> bytes: ...


Page: TypeAlias = Answer | str


def wording(text: str) -> str:
    """Return ``text``: marks an assertion in which the words themselves matter.

    Safety texts, what a patient or a signed report is told, consent, privacy. ``test_house.py`` counts all other
    assertions on sentences.
    """
    return text


def codes(page: Page) -> list[str]:
    """Return the ``data-code`` of every warning, chip, message, error, refusal and empty state, in order."""
    return [code for value in re.findall(r'\sdata-code="([^"]+)"', _source(page)) for code in value.split()]


def chips(page: Page) -> list[tuple[str, str]]:
    """Return the code and the tone of every chip, in order."""
    return re.findall(r'data-code="([^"]+)"\s+class="(?:badge badge|admin-tier admin-tier)-(\w+)"', _source(page))


def articles(page: Page) -> list[str]:
    """Return the codes of the conditions that the page explains, in order."""
    return re.findall(r'\sdata-article="([^"]+)"', _source(page))


def error_codes(page: Page) -> dict[str, list[str]]:
    """Return the codes of the errors of each field in the error summary."""
    found = defaultdict(list)
    for tag in re.findall(r"<li\s[^>]*data-field=[^>]*>", _source(page)):
        found[_attribute(tag, "data-field")].append(_attribute(tag, "data-code"))
    return dict(found)


def at_code(code: str) -> str:
    """Return the CSS selector of what carries this code, for a browser."""
    return f'[data-code~="{code}"]'


def coded(page: Page, code: str) -> str:
    """Return the text of all elements with this code, with single spaces; empty if there is none."""
    reader = _Reader(code)
    reader.feed(_source(page))
    return " ".join(" ".join(reader.texts).split())


def _source(page: Page) -> str:
    return page if isinstance(page, str) else page.content.decode()


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(match[1]) if match else ""


class _Reader(HTMLParser):
    """Collects the text inside elements with one ``data-code``."""

    VOID = frozenset({"area", "br", "hr", "img", "input", "link", "meta", "source", "wbr"})

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code
        self.depth = 0
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID and (self.depth or self.code in (dict(attrs).get("data-code") or "").split()):
            self.depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self.depth and tag not in self.VOID:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.texts.append(data)
