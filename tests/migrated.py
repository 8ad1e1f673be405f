"""The tests' tables on SQLite, migrated anew only when something that they are made of has changed.

Migrations take many seconds, in each process, and the first test waits for them.
"""

import hashlib
import os
import shutil
from pathlib import Path

from django.db import connection

from tests.places import ROOT

# Migrations call what else there is, and permissions follow the models: so any of our code counts.
MADE_OF = ("dermascan", "diagnosis", "mlmodel", "patients", "requirements")


def migrated_copy(folder: Path) -> Path:
    """Return where in ``folder`` the tables lie that the code as it is now makes; there may be none yet."""
    digest = hashlib.sha256()
    for path in sorted(
        path for name in MADE_OF for path in (ROOT / name).rglob("*") if path.suffix in {".py", ".txt"}
    ):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return folder / f"{digest.hexdigest()[:32]}.sqlite3"


def begin_with(kept: Path) -> bool:
    """Put the tables where the tests' database is to be; return whether there were any."""
    if connection.vendor != "sqlite" or not kept.exists():
        return False
    shutil.copy(kept, connection.settings_dict["TEST"]["NAME"])
    return True


def keep(kept: Path) -> None:
    """Keep the tests' tables, while nothing else is in them, in place of those of other code."""
    # Where no test needs a database, none was made, and the connection is not the tests'.
    is_made = connection.settings_dict["NAME"] == connection.settings_dict["TEST"]["NAME"]
    if connection.vendor != "sqlite" or kept.exists() or not is_made:
        return
    partial = kept.with_suffix(f".{os.getpid()}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(partial)])
    for other in kept.parent.glob("*.sqlite3"):
        other.unlink(missing_ok=True)
    partial.replace(kept)
