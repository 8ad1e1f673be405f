"""An installation of its own for a benchmark: a folder that is gone afterwards, and Django set up in it."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_installation() -> Iterator[Path]:
    """Set up Django with an empty, migrated SQLite database in a temporary folder, and yield the folder."""
    with tempfile.TemporaryDirectory(prefix="dermascan-bench-") as folder:
        os.environ.update(
            DERMASCAN_DATA_DIR=folder,
            DJANGO_SETTINGS_MODULE="dermascan.settings.local",
            DERMASCAN_LOG_LEVEL="ERROR",
            DERMASCAN_HOSTS="localhost,127.0.0.1,testserver",
        )
        os.environ.pop("DATABASE_URL", None)
        if "django" in sys.modules and sys.modules["django"].apps.apps.ready:
            raise RuntimeError("a benchmark needs a process of its own")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        yield Path(folder)
