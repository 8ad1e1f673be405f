"""Where entries wait while the database cannot be written: a file next to it, which the schedule reads back.

On a full or read-only database what is there can still be read, as a clinic needs it to be; who read it is not lost.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from dermascan.core.storage_faults import storage_fault
from patients.audit.chain import CONTENT, content_of, write_sealed
from patients.models import AuditEntry


def write_or_spool(entries: Sequence[AuditEntry]) -> None:
    """Store entries in their chains, or in the spool if the database is full or read-only.

    Raises the database's error for other faults, and ``OSError`` if the spool cannot be written either: then nothing
    may be shown.
    """
    try:
        with transaction.atomic():
            write_sealed(entries)
    except DatabaseError as error:
        if storage_fault(error) is None:
            raise
        _spool(entries)


def take_in_spool() -> int:
    """Store the entries that wait in the spool, and empty it; return their number."""
    path = _path()
    if not path.exists():
        return 0
    with path.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        entries = [_entry(json.loads(line)) for line in file if line.endswith("\n")]
        write_sealed(entries)
        # After the commit: an entry may come twice after a crash here, and never not at all.
        file.seek(0)
        file.truncate()
    return len(entries)


def _spool(entries: Sequence[AuditEntry]) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for entry in entries:
            file.write(json.dumps({"chain_id": entry.chain_id, **content_of(entry)}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _entry(stored: dict[str, Any]) -> AuditEntry:
    values = {name: stored[name] for name in ("chain_id", *CONTENT)}
    at = datetime.fromisoformat(values.pop("at"))
    patient = AuditEntry._meta.get_field("patient").to_python(values.pop("patient"))
    return AuditEntry(at=at, patient=patient, **values)


def _path() -> Path:
    return Path(settings.AUDIT_SPOOL)
