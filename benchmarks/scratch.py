"""A temporary installation for a benchmark, with Django set up in it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_installation() -> Iterator[Path]:
    """Set up Django with an empty, migrated SQLite database in a temporary folder, and yield the folder.

    Tests already have such an installation, which is used instead. ``DERMASCAN_MIGRATED_DATABASE`` names an empty,
    migrated database to copy, which saves most of the migrations.
    """
    if "django" in sys.modules and sys.modules["django"].apps.apps.ready:
        from django.conf import settings

        if settings.SETTINGS_MODULE != "dermascan.settings.test":
            raise RuntimeError("a benchmark needs a process of its own")
        yield Path(settings.MEDIA_ROOT).parent
        return
    with tempfile.TemporaryDirectory(prefix="dermascan-bench-") as folder:
        os.environ.update(
            DERMASCAN_DATA_DIR=folder,
            DJANGO_SETTINGS_MODULE="dermascan.settings.local",
            DERMASCAN_LOG_LEVEL="ERROR",
            DERMASCAN_HOSTS="localhost,127.0.0.1,testserver",
        )
        os.environ.pop("DATABASE_URL", None)
        import django
        from django.core.management import call_command

        if prepared := os.environ.get("DERMASCAN_MIGRATED_DATABASE"):
            shutil.copy(prepared, Path(folder) / "db.sqlite3")
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        yield Path(folder)
