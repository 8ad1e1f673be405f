"""Management commands in the audit trail: who ran what, before it does anything."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand

from patients.audit.acting import OPERATOR, Actor, Doing, acting, current
from patients.audit.writing import note
from patients.models import AuditAction, AuditOutcome

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
            note(AuditAction.COMMAND, **facts)
            try:
                return super().execute(*args, **options)
            except BaseException:
                note(AuditAction.COMMAND, outcome=AuditOutcome.FAILED, **facts)
                raise


def _as_typed(options: dict[str, Any]) -> str:
    stated = {name: value for name, value in sorted(options.items()) if name not in _COMMON}
    return " ".join(f"{name}={value}" for name, value in stated.items() if value not in (None, False, ""))


def _system_user() -> str:
    """Return the name of the account on the machine; there may be none in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
