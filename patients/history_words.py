"""A record's history in words, for its page."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.models import RecordChange, RecordKind, User

# Where the name of the model's field is not what the forms call it.
LABELS = {
    ("patient", "user"): gettext_lazy("Patient’s account"),
    ("patient", "merged_into"): gettext_lazy("Merged into"),
    ("patient", "email"): gettext_lazy("E-mail address"),
    ("patient", "phone"): gettext_lazy("Telephone"),
    ("lesion", "noticed"): gettext_lazy("First noticed"),
    ("visit", "clinician"): gettext_lazy("Seen by"),
    ("clinic", "phone"): gettext_lazy("Telephone"),
    ("member", "is_active"): gettext_lazy("May sign in"),
    ("member", "first_name"): gettext_lazy("Given name"),
    ("member", "last_name"): gettext_lazy("Family name"),
    ("member", "email"): gettext_lazy("E-mail address"),
}


@dataclass(frozen=True)
class FieldChange:
    """One field's change in words; an empty text means that nothing was recorded."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class HistoryEntry:
    """One change of a record in words."""

    at: datetime.datetime
    by: str
    reason: str
    fields: list[FieldChange]


def in_words(changes: Iterable[RecordChange]) -> list[HistoryEntry]:
    """Return the changes in words, in their order. One query for each model that they refer to."""
    rows = list(changes)
    names = _NamesOfRows(rows)
    return [
        HistoryEntry(
            at=row.at,
            by=row.by.get_full_name() or row.by.username,
            reason=row.reason,
            fields=[
                FieldChange(_label(row.kind, name), *(_words(row.kind, name, value, names) for value in values))
                for name, values in row.changes.items()
            ],
        )
        for row in rows
    ]


class _NamesOfRows:
    """The names of the rows that changes refer to by key."""

    def __init__(self, rows: Iterable[RecordChange]) -> None:
        keys: dict[type[Model], set[str]] = {}
        for row in rows:
            for name, values in row.changes.items():
                if model := _related_model(row.kind, name):
                    keys.setdefault(model, set()).update(str(value) for value in values if value is not None)
        self._names = {
            (model, str(found.pk)): _name_of(found)
            for model, wanted in keys.items()
            for found in model._base_manager.filter(pk__in=wanted)
        }

    def __call__(self, model: type[Model], key: Any) -> str:
        return self._names.get((model, str(key)), _("no longer stored"))


def _name_of(row: Any) -> str:
    return str(row.get_full_name() or row.username) if isinstance(row, User) else str(row)


def _words(kind: str, name: str, value: Any, names: _NamesOfRows) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if model := _related_model(kind, name):
        return names(model, value)
    field = _field(kind, name)
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, str) and len(value) == len("2026-01-31") and (day := _date(value)):
        return formats.date_format(day, "j M Y")
    return str(value)


def _date(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _label(kind: str, name: str) -> str:
    field = _field(kind, name)
    if label := LABELS.get((kind, field.name if field is not None else name)):
        return str(label)
    return capfirst(str(field.verbose_name)) if field is not None else capfirst(name.replace("_", " "))


def _field(kind: str, name: str) -> Field | None:
    try:
        app = "diagnosis" if kind == RecordKind.DEVICE else "patients"
        field = apps.get_model(app, RecordKind(kind).value)._meta.get_field(name)
    except FieldDoesNotExist:
        return None  # a property such as “noticed”, or a field of the member's account
    return field if isinstance(field, Field) else None


def _related_model(kind: str, name: str) -> type[Model] | None:
    field = _field(kind, name)
    return field.related_model if field is not None and field.is_relation else None
