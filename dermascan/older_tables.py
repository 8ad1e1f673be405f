"""Tables made before 0.1.0, when the first migrations that are for keeps were written: nothing upgrades those."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

OUR_APPS = ("dermascan", "diagnosis", "mlmodel", "patients")
# What belongs to the tables: without them, files and tasks refer to nothing.
_BELONGINGS = ("db.sqlite3*", "media", "queue", "cache", "beat-schedule*")


def are_older(*, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether the database holds migrations of ours that this version does not know."""
    loader = MigrationLoader(connections[using])
    return any(
        app in OUR_APPS and (app, name) not in loader.disk_migrations for app, name in loader.applied_migrations
    )


def refuse_older_tables(*, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """Stop a migration that would take older tables for its own: Django tells migrations by their names alone."""
    if are_older(using=using):
        raise CommandError(
            "This database was made by a version before 0.1.0, or by a newer one than this, and cannot be upgraded by "
            "it. Begin with an empty database, or install the version that made it. Nothing was changed."
        )


def move_older_data_aside() -> Path | None:
    """Move an embedded installation's older tables, with their files, into a folder of their own beside them.

    Trained networks and data sets stay where they are. Returns the folder, or None where nothing was older.
    """
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    data = Path(settings.DATA_DIR)
    if not database["ENGINE"].endswith("sqlite3") or not Path(database["NAME"]).is_file() or not are_older():
        return None
    connections[DEFAULT_DB_ALIAS].close()
    aside = data / f"before-0.1.0-{timezone.now():%Y%m%d-%H%M%S}"
    aside.mkdir()
    for pattern in _BELONGINGS:
        for path in data.glob(pattern):
            path.rename(aside / path.name)
    return aside
