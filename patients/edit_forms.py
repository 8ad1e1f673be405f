"""The forms with which records are edited: stale ones are refused with both texts, and the person chooses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from patients.edits import changed_names, comparable, edit_token, last_change, lost_names
from patients.names import clean_text

MADE_FROM, DIFFERS, KEEP = "made_from", "differs", "keep-"
MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Difference:
    """One field with two texts; ``choice`` is what is preselected, "" where the person has to decide."""

    field: BoundField
    radio_name: str
    yours: str
    saved: str
    choice: str


@dataclass(frozen=True)
class Conflict:
    differences: list[Difference]
    by: str
    at: datetime | None


class EditForm(forms.BaseForm):
    """Mixed into every form that changes what is stored. See ``patients.edits`` for the token it carries.

    A field that was changed meanwhile is never silently replaced: where the person has not touched it, the saved text
    is preselected; where both have changed it, the person has to choose.
    """

    conflict: Conflict | None = None
    # Set where the record can no longer be changed at all; the page then shows what was typed, without a way to save.
    is_closed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self.data = clean_data(self.data)
        self.stored: dict[str, Any] = dict(self.stored_values()) if self.edits_a_record else {}
        self._undecided: list[str] = []
        if self.is_bound and self.edits_a_record:
            self._apply_choices()

    @property
    def edits_a_record(self) -> bool:
        instance = getattr(self, "instance", None)
        return instance is not None and not instance._state.adding

    def stored_values(self) -> Mapping[str, Any]:
        """Return what is stored of each field that the form can change."""
        fields = {
            name: field
            for name, field in self.fields.items()
            if not field.disabled and not isinstance(field.widget, forms.HiddenInput)
        }
        initial = {name: self.get_initial_for_field(field, name) for name, field in fields.items()}
        return {
            name: bool(value) if isinstance(fields[name], forms.BooleanField) else value
            for name, value in initial.items()
        }

    def edited_record(self) -> Model | None:
        """Return the record that says who changed it last."""
        return getattr(self, "instance", None)

    @property
    def made_from(self) -> str:
        """The token that was sent with the form; "" if there was none, which counts as stale."""
        return str(self.data.get(self.add_prefix(MADE_FROM), "")) if self.is_bound else edit_token(self.stored)

    @property
    def status(self) -> int:
        """The HTTP status of a page that shows this form again."""
        return 409 if self.is_bound and self.errors and (self.conflict or self.is_closed) else 200

    @property
    def edit_inputs(self) -> SafeString:
        """The hidden inputs, for inside the ``<form>``. After a conflict they stand for the record as it is now."""
        if not self.edits_a_record:
            return SafeString("")
        token = edit_token(self.stored) if self.conflict else self.made_from
        names = [row.field.name for row in self.conflict.differences] if self.conflict else self._undecided
        pairs = [(MADE_FROM, token), *((DIFFERS, name) for name in names)]
        return format_html_join(
            "", '<input type="hidden" name="{}" value="{}">', ((self.add_prefix(name), value) for name, value in pairs)
        )

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.edits_a_record:
            self._look_for_conflict()

    def _look_for_conflict(self) -> None:
        new = {name: self._typed(name) for name in self.stored}
        lost = lost_names(stored=self.stored, new=new, made_from=self.made_from) | set(self._undecided)
        if not lost:
            return
        touched = changed_names(stored=new, made_from=self.made_from)
        rows = [
            Difference(
                field=self[name],
                radio_name=self.add_prefix(f"{KEEP}{name}"),
                yours=self._in_words(name, new[name]),
                saved=self._in_words(name, self.stored[name]),
                choice="" if name in touched or name in self._undecided else THEIRS,
            )
            for name in self.fields
            if name in lost
        ]
        record = self.edited_record()
        by, at = last_change(record) if record is not None else ("", None)
        self.conflict = Conflict(rows, by=by, at=at)
        message = (
            _("Choose for each field which text to keep, then save again.")
            if self._undecided
            else _("This was changed while you were editing it. Nothing of yours is saved yet.")
        )
        self.add_error(None, ValidationError(message, code="changed_meanwhile"))

    def _typed(self, name: str) -> Any:
        """Return what was typed in a field, also where it is not valid."""
        if name in self.cleaned_data:
            return self.cleaned_data[name]
        return self[name].value()

    def _in_words(self, name: str, value: Any) -> str:
        """Return a value as a person reads it."""
        field = self.fields[name]
        if isinstance(field, forms.BooleanField):
            return _("Yes") if value else _("No")
        if isinstance(field, forms.ModelMultipleChoiceField):
            return ", ".join(sorted(str(each) for each in value or []))
        if isinstance(field, forms.ModelChoiceField):
            try:
                chosen = field.to_python(comparable(value))
            except ValidationError:  # no such row, or nothing that could name one
                chosen = None
            return field.label_from_instance(chosen) if chosen is not None else ""
        if isinstance(field, forms.ChoiceField):
            words = {str(key): str(label) for key, label in _flat(field.choices)}
            return words.get(str(comparable(value)), str(value or ""))
        if isinstance(value, (list, tuple)):  # of several inputs, as far as they make no valid value
            return " ".join(str(part) for part in value if part)
        return "" if value is None else str(field.prepare_value(value))

    def _apply_choices(self) -> None:
        """Put the saved text in place of the typed one where the person chose it."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        asked = data.getlist(self.add_prefix(DIFFERS)) if hasattr(data, "getlist") else []
        for name in asked:
            if name not in self.stored:
                continue
            choice = data.get(self.add_prefix(f"{KEEP}{name}"))
            if choice == THEIRS:
                self._put(data, name, self.stored[name])
            elif choice != MINE:
                self._undecided.append(name)
        self.data = data

    def _put(self, data: Any, name: str, value: Any) -> None:
        field, key = self.fields[name], self.add_prefix(name)
        data.pop(key, None)
        if isinstance(field.widget, forms.MultiWidget):
            widget: Any = field.widget
            for suffix, part in zip(widget.widgets_names, widget.decompress(value), strict=True):
                data[f"{key}{suffix}"] = "" if part is None else str(part)
        elif isinstance(field, forms.BooleanField):
            if value:
                data[key] = "on"
        else:
            shown = field.prepare_value(value)
            several = shown if isinstance(shown, (list, tuple)) else [shown]
            data.setlist(key, ["" if each is None else str(each) for each in several])


def clean_data(data: Any) -> Any:
    """Return what was sent without the characters that nobody can see."""
    cleaned = data.copy()
    if hasattr(cleaned, "setlist"):
        for name, texts in data.lists():
            cleaned.setlist(name, [clean_text(text) if isinstance(text, str) else text for text in texts])
        return cleaned
    return {name: clean_text(text) if isinstance(text, str) else text for name, text in cleaned.items()}


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    """Return choices without their groups."""
    flat: list[tuple[Any, Any]] = []
    for key, label in choices:
        flat.extend(label if isinstance(label, (list, tuple)) else [(key, label)])
    return flat
