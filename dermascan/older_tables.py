"""Databases from before 0.1.0, which cannot be upgraded because their migrations were replaced."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

OUR_APPS = ("dermascan", "diagnosis", "mlmodel", "patients")
# Files that are useless without the database.
_BELONGINGS = ("db.sqlite3*", "media", "queue", "cache", "beat-schedule*")


# Migrations that every database made before 0.1.0 has and no later one will.
_BEFORE_0_1_0 = {("diagnosis", "0003_report_is_frozen"), ("patients", "0003_consent_is_append_only")}


def are_older(*, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Return whether the database was made before 0.1.0."""
    return not _BEFORE_0_1_0.isdisjoint(MigrationLoader(connections[using]).applied_migrations)


def are_unknown(*, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Return whether the database has migrations of our apps that this version does not have."""
    loader = MigrationLoader(connections[using])
    return any(
        app in OUR_APPS and (app, name) not in loader.disk_migrations for app, name in loader.applied_migrations
    )


def refuse_unknown_tables(*, using: str = DEFAULT_DB_ALIAS, **_signal: Any) -> None:
    """Refuse to migrate tables of another version: Django compares migrations by name only and would not notice."""
    if are_unknown(using=using):
        raise CommandError(
            "This database was created by a version before 0.1.0, or by a newer version than this one, and cannot be "
            "upgraded. Start with an empty database, or install the version that created it. Nothing was changed."
        )


def move_older_data_aside() -> Path | None:
    """Move an embedded installation's older database and its files into a new subfolder of the data folder.

    Trained networks and data sets stay where they are. Return the folder, or None if there was nothing to move.
    """
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    data = Path(settings.DATA_DIR)
    # A database elsewhere is the operator's own, and its files must stay with it.
    is_embedded = database["ENGINE"].endswith("sqlite3") and Path(database["NAME"]) == data / "db.sqlite3"
    if not is_embedded or not Path(database["NAME"]).is_file() or not are_older():
        return None
    connections[DEFAULT_DB_ALIAS].close()
    archive = data / f"before-0.1.0-{timezone.now():%Y%m%d-%H%M%S}"
    archive.mkdir()
    for pattern in _BELONGINGS:
        for path in data.glob(pattern):
            path.rename(archive / path.name)
    return archive
