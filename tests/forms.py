"""Parse the forms on a page."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse


@dataclass
class Form:
    """One ``<form method="post">`` with its fields."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    # The ``formaction`` addresses of its buttons.
    other_actions: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.fields.get("idempotency_key", "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.current: Form | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        values = dict(attrs)
        if tag == "form":
            self.current = Form(values.get("action") or "") if (values.get("method") or "").lower() == "post" else None
            if self.current:
                self.forms.append(self.current)
        elif self.current and tag in ("input", "button", "select", "textarea"):
            if values.get("formaction"):
                self.current.other_actions.append(values["formaction"])
            if values.get("name"):
                self.current.fields[values["name"]] = values.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.current = None


def posting_forms(page: str) -> list[Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def key_in(response: HttpResponse | Any) -> str:
    """Return the first idempotency key on the page."""
    match = re.search(r'name="idempotency_key" value="([^"]+)"', response.content.decode())
    assert match, "no form on this page has a key"
    return match[1]
