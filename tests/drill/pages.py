"""Read the rows of Today and of the CSV files as a person reads them: from what is served."""

import csv
import io
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.urls import reverse

from tests.drill.desk import Desk
from tests.drill.expected import Found, Rows

_COUNT = re.compile(r'<span class="count( count-urgent)?">\s*(\d+)')


@dataclass
class Pages:
    """Fetches pages for a member and keeps their text, in which the neighbours' names are looked for."""

    desk: Desk
    who: str
    texts: list[tuple[str, str]] = field(default_factory=list)

    def fetch(self, address: str, **query: str) -> Any:
        page = self.desk.get(self.who, address, **query)
        content = page.getvalue().decode() if page.streaming else page.text
        self.texts.append((address, content))
        return page

    def section(self, code: str) -> Rows:
        """The rows of all pages of one section of Today."""
        rows: Rows = set()
        number = 1
        while True:
            page = self.fetch(reverse("today-section", args=[code]), page=str(number))
            table = _Table()
            table.feed(page.text)
            assert len(set(table.rows)) == len(table.rows), (code, table.rows)
            rows |= set(table.rows)
            if not page.context["page"].has_next():
                return rows
            number += 1

    def counts(self) -> dict[str, int]:
        """The number beside the title of each section of Today."""
        text = self.fetch(reverse("today")).text
        parts = text.split('<h2 id="section-')[1:]
        return {part.split('"')[0]: int(_first(_COUNT, part)[1]) for part in parts}

    def header(self) -> tuple[int, bool]:
        """The number beside “Today” in the header and whether it presses, from another page than Today itself."""
        text = self.fetch(reverse("patients")).text
        link = text.split(f'<a href="{reverse("today")}"')[1].split("</a>")[0]
        found = _COUNT.search(link)
        return (int(found[2]), bool(found[1])) if found else (0, False)

    def found(self, listing: str, query: str) -> Found:
        """What a search exports: record number with the visit's date, or with the lesion's number."""
        name, value = query.split("=")
        page = self.fetch(reverse(f"{listing}-csv"), **{name: value})
        content = self.texts[-1][1].removeprefix("\ufeff")
        assert page["Content-Type"].startswith("text/csv")
        return {(row[1], row[3]) for row in list(csv.reader(io.StringIO(content)))[1:]}


def _first(pattern: re.Pattern[str], text: str) -> tuple[bool, int]:
    found = pattern.search(text)
    assert found is not None, text[:200]
    return bool(found[1]), int(found[2])


class _Table(HTMLParser):
    """The rows of Today’s tables as (record number, when, address of what to do)."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, str]] = []
        self._in_body = False
        self._texts: list[str] = []
        self._href = ""
        self._wanted = ""
        self._number = self._since = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "tbody":
            self._in_body = True
        if not self._in_body:
            return
        if tag == "span" and values.get("class") == "meta whole":
            self._wanted = "number"
        elif tag == "span" and values.get("class") == "meta":
            self._wanted = "since"
        elif tag == "a":
            self._href = values["href"]

    def handle_data(self, data: str) -> None:
        if self._wanted == "number":
            self._number = data.strip()
        elif self._wanted == "since":
            self._since = data.strip()
        self._wanted = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "tbody":
            self._in_body = False
        elif tag == "tr" and self._in_body:
            self.rows.append((self._number, self._since, self._href))
