"""Checks of rendered pages."""

import re
from html.parser import HTMLParser
from typing import Any


class _Offences(HTMLParser):
    """Finds markup that the content security policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.has_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.has_main |= tag == "main"
        if tag == "style" or "style" in values:
            self.found.append(f"<{tag}> with inline style")
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.found.append("inline <script>")
        self.found += [f"<{tag} {name}>" for name in values if name.startswith("on")]


def assert_in_our_frame(response: Any) -> str:
    """Assert that the page extends base.html, has one title and one heading, and no forbidden markup."""
    page = response.content.decode()
    offences = _Offences()
    offences.feed(page)
    assert offences.has_main, "not in base.html"
    assert not offences.found
    assert len(re.findall(r"<h1[\s>]", page)) == 1
    title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert title
    assert " ".join(title[1].split()).endswith("· DermaScan")
    assert not " ".join(title[1].split()).startswith("·"), "the page has no name"
    return page
