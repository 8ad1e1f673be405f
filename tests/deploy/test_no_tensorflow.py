"""The web process, the workers and the prediction path never import training dependencies."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.places import ROOT

PHOTOGRAPH = ROOT / "static" / "samples" / "ISIC_0024310.jpg"

FORBIDDEN = ("tensorflow", "keras", "tf2onnx", "onnx", "sklearn", "scipy")
REPORT = f"""
import sys
loaded = sorted(name for name in {FORBIDDEN!r} if name in sys.modules)
print("LOADED", *loaded)
sys.exit(bool(loaded))
"""
WEB = f"""
from pathlib import Path
from django.core.management import call_command
import dermascan.wsgi
call_command("migrate", verbosity=0)
from django.test import Client
photograph = Path({str(PHOTOGRAPH)!r})
with photograph.open("rb") as file:
    answer = Client().post("/quick-check/", {{"file": file}})
assert answer.status_code == 200, (answer.status_code, answer.content[:500])
assert b"Melan" in answer.content, "no result on the page"
"""
WORKER = """
from celery import signals
import dermascan.celery
app = dermascan.celery.app
import django
django.setup()
app.loader.import_default_modules()
assert app.tasks
"""
COMMAND = f"""
import django
django.setup()
from django.core.management import call_command
call_command("predict", {str(PHOTOGRAPH)!r})
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", [WEB, WORKER, COMMAND], ids=["web", "worker", "predict"])
def test_nothing_of_training_is_imported(path, tmp_path, django_db_setup, migrated_database):
    if migrated_database.exists():
        shutil.copy(migrated_database, tmp_path / "db.sqlite3")
    outcome = subprocess.run(
        [sys.executable, "-c", path + REPORT],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "dermascan.settings.test",
            "DERMASCAN_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "LOADED" in outcome.stdout
