"""A temporary installation for a benchmark, with Django set up in it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_installation(kept: Path | None = None) -> Iterator[Path]:
    """Set up Django with a migrated SQLite database in a temporary folder, and yield the folder.

    Tests already have such an installation, which is used instead. ``DERMASCAN_MIGRATED_DATABASE`` names an empty,
    migrated database to copy, which saves most of the migrations.

    Args:
        kept: a folder to use and leave as it is, with the database that is in it already. ``DATABASE_URL`` then
            counts.
    """
    if "django" in sys.modules and sys.modules["django"].apps.apps.ready:
        from django.conf import settings

        if settings.SETTINGS_MODULE != "dermascan.settings.test":
            raise RuntimeError("a benchmark needs a process of its own")
        yield Path(settings.MEDIA_ROOT).parent
        return
    with tempfile.TemporaryDirectory(prefix="dermascan-bench-") as scratch:
        folder = kept or Path(scratch)
        folder.mkdir(exist_ok=True)
        os.environ.update(
            DERMASCAN_DATA_DIR=str(folder),
            DJANGO_SETTINGS_MODULE="dermascan.settings.local",
            DERMASCAN_LOG_LEVEL="ERROR",
            DERMASCAN_HOSTS="localhost,127.0.0.1,testserver",
        )
        if kept is None:
            os.environ.pop("DATABASE_URL", None)
        import django
        from django.core.management import call_command

        database = folder / "db.sqlite3"
        if (prepared := os.environ.get("DERMASCAN_MIGRATED_DATABASE")) and not database.exists():
            shutil.copy(prepared, database)
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        yield folder
