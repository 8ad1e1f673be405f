"""A server that is killed as soon as its answer begins to arrive has lost no entry."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.db import connection

from tests.places import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the server has a database of its own"),
]

PREPARE = """
import django
django.setup()
from django.test import Client
from tests import factories
member = factories.MemberFactory(role="staff")
patient = factories.PatientFactory(clinic=member.clinic, created_by=member)
factories.VisitFactory(patient=patient, clinician=member)
client = Client()
client.force_login(member.user)
print(client.cookies["sessionid"].value, patient.pk)
"""
TOKEN = "a" * 32


@pytest.fixture
def environment(tmp_path, django_db_setup, migrated_database) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DJANGO_", "DERMASCAN_"))}
    for key in ("DATABASE_URL", "REDIS_URL"):
        kept.pop(key, None)
    shutil.copy(migrated_database, tmp_path / "db.sqlite3")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        **kept,
        "DERMASCAN_DATA_DIR": str(tmp_path),
        "DERMASCAN_DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "dermascan.settings.local",
        "PORT": str(port),
    }


def first_bytes(port: int, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(request.encode())
        return client.recv(12)


def started(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "dermascan.wsgi"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    for _time in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{environment['PORT']}/session/", timeout=60).close()
            return process
        except urllib.error.HTTPError:
            return process  # 401: it answers
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def entries(folder: Path, where: str) -> int:
    with sqlite3.connect(folder / "db.sqlite3") as database:
        return int(database.execute(f"SELECT count(*) FROM patients_auditentry WHERE {where}").fetchone()[0])


def test_kill_9_after_the_answer_left(environment, tmp_path):
    ask = [sys.executable, "-c", PREPARE]
    session, patient = subprocess.run(
        ask, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout.split()
    head = f"Host: localhost\r\nCookie: sessionid={session}; csrftoken={TOKEN}\r\nConnection: close\r\n"
    form = (
        f"csrfmiddlewaretoken={TOKEN}&record_number=K-1&given_name=Ada&family_name=Killed&birth_date=14/03/1961"
        "&sex=female&skin_type=&email=&phone=&history="
    )
    posted = "Content-Type: application/x-www-form-urlencoded\r\nReferer: http://localhost/\r\n"
    exchanges = [
        (f"GET /patients/{patient}/ HTTP/1.1\r\n{head}\r\n", b"200", "place = 'patient' AND action = 'read'"),
        (f"GET /visits/csv/ HTTP/1.1\r\n{head}\r\n", b"200", "place = 'visits-csv' AND action = 'export'"),
        (
            f"POST /patients/new/ HTTP/1.1\r\n{head}{posted}Content-Length: {len(form)}\r\n\r\n{form}",
            b"302",
            "place = 'patient-new' AND action = 'create' AND kind = 'patient'",
        ),
    ]
    for request, status, where in exchanges:
        server = started(environment)
        try:
            answer = first_bytes(int(environment["PORT"]), request)
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        assert answer.split()[1] == status
        assert entries(tmp_path, where) == 1, request.splitlines()[0]
    command = [sys.executable, "manage.py", "verify_audit"]
    verified = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
    assert entries(tmp_path, "sequence IS NULL") == 0
