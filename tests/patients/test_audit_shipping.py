"""Entries that leave as JSON lines: to a file, to syslog over UDP, TCP and a socket."""

import json
import socket
import threading

import pytest

from patients.audit.chain import seal_everything
from patients.audit.shipping import ship_entries
from patients.models import AuditChain, AuditEntry
from patients.tasks import tend_audit
from tests.patients.test_audit import verified

pytestmark = [pytest.mark.django_db, pytest.mark.services]


@pytest.fixture
def trail(patient, other_clinic):
    seal_everything()
    return AuditEntry.objects.count()


def test_every_entry_leaves_once_and_anchors_the_chain(trail, settings, tmp_path, patient):
    settings.AUDIT_SHIP_TO = str(tmp_path / "audit.jsonl")
    assert (ship_entries(), ship_entries()) == (trail, 0)
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert len(lines) == trail
    created = next(line for line in lines if line["kind"] == "patient")
    stored = AuditEntry.objects.get(kind="patient")
    assert (created["patient"], created["clinic"]) == (str(patient.pk), str(patient.clinic_id))
    assert (created["hash"], created["sequence"]) == (stored.entry_hash, stored.sequence)
    assert verified("--anchors", settings.AUDIT_SHIP_TO)[0]


def test_nothing_leaves_unless_it_is_set(trail, settings):
    settings.AUDIT_SHIP_TO = ""
    assert ship_entries() == 0
    assert not AuditChain.objects.filter(shipped__gt=0).exists()


def test_what_could_not_be_sent_is_sent_later(trail, settings, tmp_path):
    settings.AUDIT_SHIP_TO = str(tmp_path / "nowhere" / "audit.jsonl")
    tend_audit()
    assert not AuditChain.objects.filter(shipped__gt=0).exists()
    (tmp_path / "nowhere").mkdir()
    tend_audit()
    assert len((tmp_path / "nowhere" / "audit.jsonl").read_text().splitlines()) == trail


def test_syslog_over_udp(trail, settings):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        settings.AUDIT_SHIP_TO = f"syslog://127.0.0.1:{server.getsockname()[1]}"
        assert ship_entries() == trail
        received = server.recv(65536).decode()
    assert "dermascan-audit: {" in received
    assert "hash" in json.loads(received[received.index("{") :].rstrip("\0"))


def test_syslog_over_tcp(trail, settings):
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            connection, _address = server.accept()
            with connection:
                while part := connection.recv(65536):
                    received.append(part)

        thread = threading.Thread(target=listen)
        thread.start()
        settings.AUDIT_SHIP_TO = f"syslog+tcp://127.0.0.1:{server.getsockname()[1]}"
        assert ship_entries() == trail
        thread.join(5)
    lines = b"".join(received).decode().splitlines()
    assert [bool(json.loads(line[line.index("{") :])["hash"]) for line in lines] == [True] * trail


def test_a_syslog_that_is_away_loses_nothing(trail, settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.AUDIT_SHIP_TO = f"syslog+tcp://127.0.0.1:{port}"
    with pytest.raises(OSError, match="refused"):
        ship_entries()
    assert not AuditChain.objects.filter(shipped__gt=0).exists()
