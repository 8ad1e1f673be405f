"""HTML and SVG from nested calls; all text is escaped, so that file names and tables cannot inject markup."""

from html import escape

_VOID = frozenset({"meta", "img", "br", "hr"})
# Empty SVG elements are self-closing.
_SELF_CLOSING = frozenset({"path", "rect", "line", "circle", "polyline"})


class Html(str):
    """Text that is already markup and must not be escaped."""

    __slots__ = ()


Child = str | int | None


def tag(element: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """Return an element. Children that are not ``Html`` are escaped; None is omitted.

    Attribute names lose a trailing underscore (``class_``), and other underscores become hyphens.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in _VOID:
        return Html(f"<{element}{written}>")
    if element in _SELF_CLOSING and not children:
        return Html(f"<{element}{written}/>")
    return Html(f"<{element}{written}>{join(*children)}</{element}>")


def join(*children: Child) -> Html:
    """Return the concatenated children, escaped as needed."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escape(str(child), quote=False)
            for child in children
            if child is not None
        )
    )


def table(head: list[Child], rows: list[list[Child]], *, caption: str = "", class_: str = "") -> Html:
    """Return a table whose first column has row headings; the other columns are right-aligned."""
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption) if caption else None,
            tag("thead", tag("tr", *(tag("th", each, scope="col") for each in head))),
            tag(
                "tbody",
                *(tag("tr", tag("th", row[0], scope="row"), *(tag("td", each) for each in row[1:])) for row in rows),
            ),
            class_=class_ or None,
        ),
        class_="scroll",
        # Wide tables must be scrollable with the keyboard on narrow screens.
        tabindex="0",
        role="group",
        aria_label=caption or "Table",
    )


def _text(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
