"""A script in a process of its own, as a person starts it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.places import ROOT


def run_alone(package: str, name: str, arguments: str, migrated_database: Path) -> str:
    """Return what ``python -m PACKAGE.NAME ARGUMENTS`` prints, with the default settings and a migrated database."""
    command = [sys.executable, "-m", f"{package}.{name}", *arguments.split()]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "DERMASCAN_"))}
    for key in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(key, None)
    if migrated_database.exists():
        kept["DERMASCAN_MIGRATED_DATABASE"] = str(migrated_database)

    ended = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=300)

    assert ended.returncode == 0, ended.stderr
    return ended.stdout
