"""A process that is killed, and two that start at once: real processes, one database."""

import os
import signal
import subprocess
import sys
import threading
import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from diagnosis.retraining.errors import RunIsAlive
from diagnosis.retraining.models import ManifestEntry, RunStatus, TrainingRun
from diagnosis.retraining.run_states import heartbeat, mark_stalled_runs, queue_run
from mlmodel.versions.serving import active_version
from patients.models import Role
from tests import factories
from tests.diagnosis.retraining.cases import confirmed_cases, in_turn
from tests.diagnosis.retraining.test_run import at_work
from tests.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_killed_run_is_seen_as_dead_and_resumed_from_its_manifest(settings):
    in_turn(confirmed_cases(factories.MemberFactory(role=Role.DERMATOLOGIST), 12))
    with retraining() as process:
        wait_until(lambda: TrainingRun.objects.filter(share_done__gt=0.15).exists(), process)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    run = TrainingRun.objects.get()
    assert run.status == RunStatus.RUNNING
    frozen = set(run.manifest.values_list("image", "code", "part"))
    assert frozen
    assert mark_stalled_runs() == 0
    settings.RETRAINING_DEAD_AFTER_SECONDS = 0.5
    time.sleep(0.6)
    out = StringIO()
    settings.RETRAINING_HEARTBEAT_SECONDS = 0.1
    call_command("retrain", "--resume", stdout=out)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert "The run stopped responding" in out.getvalue()
    assert "Resumed." in out.getvalue()
    assert set(ManifestEntry.objects.values_list("image", "code", "part")) == frozen


def test_a_heartbeat_is_heard_while_the_work_goes_on(settings):
    settings.RETRAINING_HEARTBEAT_SECONDS = 0.05
    run = at_work()
    with heartbeat(run):
        wait_until(lambda: TrainingRun.objects.filter(heartbeat_at__gt=run.heartbeat_at).exists())


def test_of_many_that_start_at_once_one_does():
    parent = active_version()
    outcomes: list[object] = []
    gate = threading.Barrier(4)

    def start() -> None:
        gate.wait()
        try:
            outcomes.append(queue_run(parent=parent))
        except RunIsAlive as refusal:
            outcomes.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, TrainingRun) for outcome in outcomes) == 1
    assert len(outcomes) == 4
    assert TrainingRun.objects.count() == 1


def retraining() -> "subprocess.Popen[bytes]":
    """``manage.py retrain`` in a process of its own, on the tests' database."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        address = f"sqlite:///{database['NAME']}"
    else:
        host = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else database["HOST"]
        address = f"postgres://{database['USER']}:{database['PASSWORD']}@{host}/{database['NAME']}"
    environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "dermascan.settings.test"}
    command = [sys.executable, "manage.py", "retrain"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def wait_until(is_so, process=None, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        assert process is None or process.poll() is None, "the process ended by itself"
        time.sleep(0.02)
