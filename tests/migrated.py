"""A cached, migrated SQLite database for tests, created again only when code has changed.

Migrations take many seconds in each test process.
"""

import hashlib
import os
import shutil
from pathlib import Path

from django.db import connection

from tests.places import ROOT

# All of our code counts: migrations may call any of it, and permissions depend on the models.
MADE_OF = ("dermascan", "diagnosis", "mlmodel", "patients", "requirements")


def migrated_copy(folder: Path) -> Path:
    """Return the path in ``folder`` of the database for the current code; it may not exist yet."""
    digest = hashlib.sha256()
    for path in sorted(
        path for name in MADE_OF for path in (ROOT / name).rglob("*") if path.suffix in {".py", ".txt"}
    ):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return folder / f"{digest.hexdigest()[:32]}.sqlite3"


def begin_with(cached: Path) -> bool:
    """Copy the cached database to the test database; return whether it existed."""
    if connection.vendor != "sqlite" or not cached.exists():
        return False
    shutil.copy(cached, connection.settings_dict["TEST"]["NAME"])
    return True


def keep(cached: Path) -> None:
    """Store the empty test database in the cache, and delete those of other versions of the code."""
    # If no test needs a database, none was created and the connection is not the test database's.
    is_made = connection.settings_dict["NAME"] == connection.settings_dict["TEST"]["NAME"]
    if connection.vendor != "sqlite" or cached.exists() or not is_made:
        return
    partial = cached.with_suffix(f".{os.getpid()}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(partial)])
    for other in cached.parent.glob("*.sqlite3"):
        other.unlink(missing_ok=True)
    partial.replace(cached)
