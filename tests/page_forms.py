"""Parse a page's forms into the data that a browser would submit."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_TEXT_TYPES_NOT_SENT = {"submit", "button", "file", "image", "reset"}


@dataclass
class PageForm:
    """One ``<form>`` with its action and data."""

    action: str
    method: str
    data: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    editable: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._text_name: str | None = None
        self._select: tuple[str, bool] | None = None
        self._first_option: str | None = None
        self._is_chosen = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = PageForm(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "input" and given.get("name"):
            self._read_input(given)
        elif tag == "textarea" and given.get("name"):
            self._text_name = given["name"]
            self._remember(given["name"], is_hidden=False)
            self._form.data.setdefault(given["name"], []).append("")
        elif tag == "select" and given.get("name"):
            self._select = (given["name"], "multiple" in given)
            self._first_option, self._is_chosen = None, False
            self._remember(given["name"], is_hidden=False)
        elif tag == "option" and self._select:
            value = given.get("value", "")
            self._first_option = value if self._first_option is None else self._first_option
            if "selected" in given:
                self._is_chosen = True
                self._form.data.setdefault(self._select[0], []).append(value)

    def handle_data(self, data: str) -> None:
        if self._text_name and self._form:
            self._form.data[self._text_name][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._text_name and self._form:
            # Browsers drop a line break directly after the tag.
            texts = self._form.data[self._text_name]
            texts[-1] = texts[-1].removeprefix("\r").removeprefix("\n")
            self._text_name = None
        elif tag == "select" and self._select and self._form:
            name, is_multiple = self._select
            if not self._is_chosen and not is_multiple and self._first_option is not None:
                self._form.data.setdefault(name, []).append(self._first_option)
            self._select = None

    def _read_input(self, given: dict[str, str]) -> None:
        assert self._form is not None
        kind = given.get("type", "text")
        if kind in _TEXT_TYPES_NOT_SENT:
            return
        self._remember(given["name"], is_hidden=kind == "hidden")
        if kind in ("checkbox", "radio") and "checked" not in given:
            return
        self._form.data.setdefault(given["name"], []).append(given.get("value", "on" if kind == "checkbox" else ""))

    def _remember(self, name: str, *, is_hidden: bool) -> None:
        assert self._form is not None
        self._form.names.add(name)
        if not is_hidden:
            self._form.editable.add(name)


def forms_of(html: str) -> list[PageForm]:
    """Return all forms of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def form_with(html: str, name: str) -> PageForm:
    """Return the page's form with the field ``name``."""
    return next(form for form in forms_of(html) if name in form.names)


def filled_in(client, address: str, name: str, /, **changes: str) -> dict[str, list[str] | str]:
    """Return the data of the form with the field ``name`` at ``address``, with ``changes``."""
    return {**form_with(client.get(address).text, name).data, **changes}


def token_of(client, address: str) -> dict[str, str]:
    """Return the edit-conflict fields of the form at ``address``, to send with other values."""
    return {"made_from": form_with(client.get(address).text, "made_from").data["made_from"][0]}
