"""Management commands in the audit trail: who ran what, before it does anything."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from patients.audit.acting import OPERATOR, Actor, Doing, acting, current
from patients.audit.writing import note
from patients.models import AuditAction, AuditEntry, AuditOutcome

# Options of every command, which say nothing about the work.
_COMMON = {"verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"}


class AuditedCommand(BaseCommand):
    """A command that reads or changes records: it has an entry, and its changes are told as made by it."""

    def execute(self, *args: Any, **options: Any) -> Any:
        name = type(self).__module__.rpartition(".")[2]
        if current() is not None:
            return super().execute(*args, **options)  # called by another one, or by a page
        with acting(Doing(place=f"manage.py {name}", actor=Actor(name=_system_user(), role=OPERATOR))):
            facts = {"kind": "command", "record": name, "query": _as_typed(options)}
            _note_start(facts)
            try:
                return super().execute(*args, **options)
            except BaseException:
                note(AuditAction.COMMAND, outcome=AuditOutcome.FAILED, **facts)
                raise


def _note_start(facts: dict[str, Any]) -> None:
    try:
        note(AuditAction.COMMAND, **facts)
    except DatabaseError as error:
        if AuditEntry._meta.db_table in connection.introspection.table_names():
            raise
        raise CommandError("The database has no tables of this version yet. Run manage.py migrate first.") from error


def _as_typed(options: dict[str, Any]) -> str:
    stated = {name: value for name, value in sorted(options.items()) if name not in _COMMON}
    return " ".join(f"{name}={value}" for name, value in stated.items() if value not in (None, False, ""))


def _system_user() -> str:
    """Return the name of the account on the machine; there may be none in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
