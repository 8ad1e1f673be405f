"""Labels for the cells of admin lists, whose rows become cards on narrow screens."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

register = template.Library()

_CELL = re.compile(r"<(?P<tag>t[dh])(?P<attributes>[^>]*)>(?P<content>.*)</t[dh]>", re.DOTALL)


@register.filter
def labelled(cells: list[SafeString], headers: list[Mapping[str, Any]]) -> Iterator[SafeString]:
    """Yield a row's ``cells``, as rendered by Django's admin, each labelled with its column."""
    for cell, header in zip(cells, headers, strict=False):
        parts = _CELL.fullmatch(cell)
        if parts is None or "action-checkbox" in header["class_attrib"]:
            yield cell
            continue
        yield format_html(
            '<{tag}{attributes} data-label="{label}"><div class="cell">{content}</div></{tag}>',
            label=capfirst(header["text"]),
            **{name: SafeString(part) for name, part in parts.groupdict().items()},
        )
