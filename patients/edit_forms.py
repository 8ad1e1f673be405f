"""Forms for editing records. A stale form is refused and shows both versions for the user to choose from."""

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
    """One field with its two values; ``choice`` is the preselected one, "" if the user has to decide."""

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
    """Mixin for every form that edits a stored record. See ``patients.edits`` for the token it carries.

    A field that a colleague has changed since is never silently overwritten. If the user has not touched it, the saved
    value is preselected; if both have changed it, the user has to choose.
    """

    conflict: Conflict | None = None
    # True if the record can no longer be changed; the page then shows what was typed, without a save button.
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
        """Return the stored value of each field that the form can change."""
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
        """Return the record whose last editor is named in a conflict."""
        return getattr(self, "instance", None)

    @property
    def made_from(self) -> str:
        """The token that was submitted with the form; "" if there was none, which counts as stale."""
        return str(self.data.get(self.add_prefix(MADE_FROM), "")) if self.is_bound else edit_token(self.stored)

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form again."""
        return 409 if self.is_bound and self.errors and (self.conflict or self.is_closed) else 200

    @property
    def edit_inputs(self) -> SafeString:
        """The hidden inputs of the ``<form>``. After a conflict they represent the record as it is now."""
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
            self._detect_conflict()

    def _detect_conflict(self) -> None:
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
            _("Choose which version of each field to keep, then save again.")
            if self._undecided
            else _("This record was changed while you were editing it. Your changes are not saved yet.")
        )
        self.add_error(None, ValidationError(message, code="changed_meanwhile"))

    def _typed(self, name: str) -> Any:
        """Return what was typed in a field, even if it is not valid."""
        if name in self.cleaned_data:
            return self.cleaned_data[name]
        return self[name].value()

    def _in_words(self, name: str, value: Any) -> str:
        """Return a value as text for display."""
        field = self.fields[name]
        if isinstance(field, forms.BooleanField):
            return _("Yes") if value else _("No")
        if isinstance(field, forms.ModelMultipleChoiceField):
            return ", ".join(sorted(str(item) for item in value or []))
        if isinstance(field, forms.ModelChoiceField):
            try:
                chosen = field.to_python(comparable(value))
            except ValidationError:  # no such row, or not a key at all
                chosen = None
            return field.label_from_instance(chosen) if chosen is not None else ""
        if isinstance(field, forms.ChoiceField):
            words = {str(key): str(label) for key, label in _flat(field.choices)}
            return words.get(str(comparable(value)), str(value or ""))
        if isinstance(value, (list, tuple)):  # the parts of a multi-input field that form no valid value
            return " ".join(str(part) for part in value if part)
        return "" if value is None else str(field.prepare_value(value))

    def _apply_choices(self) -> None:
        """Replace typed values with the saved ones where the user chose these."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        names = data.getlist(self.add_prefix(DIFFERS)) if hasattr(data, "getlist") else []
        for name in names:
            if name not in self.stored:
                continue
            choice = data.get(self.add_prefix(f"{KEEP}{name}"))
            if choice == THEIRS:
                self._set_value(data, name, self.stored[name])
            elif choice != MINE:
                self._undecided.append(name)
        self.data = data

    def _set_value(self, data: Any, name: str, value: Any) -> None:
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
            prepared = field.prepare_value(value)
            items = prepared if isinstance(prepared, (list, tuple)) else [prepared]
            data.setlist(key, ["" if item is None else str(item) for item in items])


def clean_data(data: Any) -> Any:
    """Return the submitted data without invisible characters."""
    cleaned = data.copy()
    if hasattr(cleaned, "setlist"):
        for name, texts in data.lists():
            cleaned.setlist(name, [clean_text(text) if isinstance(text, str) else text for text in texts])
        return cleaned
    return {name: clean_text(text) if isinstance(text, str) else text for name, text in cleaned.items()}


def _flat(choices: Any) -> list[tuple[Any, Any]]:
    """Return the choices as a flat list, without their groups."""
    flat: list[tuple[Any, Any]] = []
    for key, label in choices:
        flat.extend(label if isinstance(label, (list, tuple)) else [(key, label)])
    return flat
