"""The ``make run`` script: port checks, start, restart of dead processes, and stop on Ctrl-C."""

import os
import runpy
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES
from tests.places import ROOT


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def environment(data: Path, **more: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DERMASCAN_"))}
    for name in ("DATABASE_URL", "REDIS_URL", "HOST", "PORT"):
        environment.pop(name, None)
    return {**environment, "DERMASCAN_DATA_DIR": str(data), **more}


def run(data: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/run.py"]
    return subprocess.run(command, cwd=ROOT, env=environment(data, **more), capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_a_taken_port_is_reported_with_advice(tmp_path, taken_port):
    outcome = run(tmp_path, PORT=str(taken_port))
    assert outcome.returncode == 1
    assert f"Port {taken_port} on 127.0.0.1 is taken" in outcome.stderr
    assert "PORT=" in outcome.stderr
    assert "make run" in outcome.stderr
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1", ""])
def test_an_invalid_port_is_refused(port, monkeypatch):
    monkeypatch.setenv("PORT", port)
    runner = runpy.run_path(str(ROOT / "deploy" / "run.py"))
    with pytest.raises(SystemExit, match=f"PORT={port} is not a port"):
        runner["address"]()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The data folder of one installation, which the tests below start several times."""
    return tmp_path_factory.mktemp("installation")


class Installation:
    """DermaScan started as by ``make run``, on a free port."""

    def __init__(self, data: Path, **more: str) -> None:
        self.port = free_port()
        self.log = data / "output.log"
        self.started = time.monotonic()
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "deploy/run.py"],
                cwd=ROOT,
                env=environment(data, PORT=str(self.port), PYTHONUNBUFFERED="1", **more),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def wait_until_ready(self, *, seconds: float) -> float:
        """Wait until the server is ready; return the seconds that it took."""
        while time.monotonic() - self.started < seconds:
            assert self.process.poll() is None, self.output
            if "DermaScan is ready" in self.output:
                return time.monotonic() - self.started
            time.sleep(0.1)
        raise AssertionError(f"not ready after {seconds} s:\n{self.output}")

    def wait_until_stopped(self, *, seconds: float = 25) -> int:
        return self.process.wait(timeout=seconds)

    @property
    def output(self) -> str:
        return self.log.read_text()

    def children(self) -> list[int]:
        """Return all descendant processes."""
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(status.parent.name)] = int(status.read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError, IndexError):
                continue
        pids = [self.process.pid]
        for pid in pids:
            pids.extend(child for child, parent in parents.items() if parent == pid)
        return pids[1:]


@pytest.fixture
def start(data) -> Iterator[Callable[..., Installation]]:
    running: list[Installation] = []

    def _start(**more: str) -> Installation:
        running.append(Installation(data, **more))
        return running[-1]

    yield _start
    for installation in running:
        for pid in [*installation.children(), installation.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        installation.process.wait()


def command_of(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@pytest.mark.slow
def test_it_serves_a_clinic_until_it_is_interrupted(start):
    installation = start()
    installation.wait_until_ready(seconds=120)
    assert f"http://127.0.0.1:{installation.port}" in installation.output
    assert DEMO_PASSWORD in installation.output
    for name in USER_NAMES:
        assert name in installation.output
    assert installation.get("/") == 200
    wait_until(lambda: installation.get("/api/v1/status/") == 200, seconds=60)
    assert installation.get("/patients/?q=Solheim") == 200
    assert "Solheim" not in installation.output
    started = installation.children()
    assert started
    # Links in e-mails of any process lead to the server.
    site = f"DERMASCAN_SITE_URL=http://127.0.0.1:{installation.port}"
    serving = [pid for pid in started if "celery" in command_of(pid) or "gunicorn" in command_of(pid)]
    assert len(serving) >= 4
    assert all(site in (Path("/proc") / str(pid) / "environ").read_text().split("\0") for pid in serving)
    installation.process.send_signal(signal.SIGINT)
    installation.wait_until_stopped()
    assert [pid for pid in started if "dermascan" in command_of(pid)] == []


@pytest.mark.slow
def test_the_second_start_is_quick_and_slow_visitors_block_nobody(start):
    installation = start()
    # On an idle machine it takes about half of that.
    assert installation.wait_until_ready(seconds=60) < 20
    slow = [socket.create_connection(("127.0.0.1", installation.port)) for _ in range(30)]
    for visitor in slow:
        visitor.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    assert installation.get("/") == 200
    for visitor in slow:
        visitor.close()


def heartbeat_of(data: Path, queue: str) -> int:
    """Return the process of this queue's worker, from its latest heartbeat."""
    with closing(sqlite3.connect(data / "db.sqlite3", timeout=20)) as database:
        row = database.execute("SELECT process FROM dermascan_workerheartbeat WHERE queue = ?", (queue,)).fetchone()
    return row[0] if row else 0


@pytest.mark.slow
def test_a_worker_whose_child_was_killed_or_hangs_is_restarted(start, data):
    installation = start(DERMASCAN_WORKER_SILENT_SECONDS="12")
    installation.wait_until_ready(seconds=120)
    wait_until(lambda: installation.get("/api/v1/status/") == 200, seconds=60)
    children = {queue: heartbeat_of(data, queue) for queue in ("celery", "long", "schedule")}
    # Idle children: one holds the lock of its pool, so its worker cannot notice that it hangs.
    os.kill(children["celery"], signal.SIGKILL)
    os.kill(children["long"], signal.SIGSTOP)
    os.kill(children["schedule"], signal.SIGSTOP)
    wait_until(lambda: installation.get("/api/v1/status/") == 503, seconds=40)
    wait_until(lambda: installation.get("/api/v1/status/") == 200, seconds=90)
    assert all(heartbeat_of(data, queue) not in {0, child} for queue, child in children.items())
    for name in ("worker", "long", "beat"):
        assert f"{name} sent no heartbeat for 12 s: restarting it." in installation.output
    command = [sys.executable, "manage.py", "shell", "-c", SEND_ONE_OF_EACH]
    subprocess.run(command, cwd=ROOT, env=environment(data), check=True, capture_output=True)
    wait_until(lambda: not list((data / "queue" / "messages").glob("*.msg")), seconds=20)


@pytest.mark.slow
def test_it_starts_whatever_the_state_of_the_demo_clinic(start, data):
    with closing(sqlite3.connect(data / "db.sqlite3")) as database, database:
        database.execute("UPDATE patients_clinic SET name = 'A clinic that works with it'")
    renamed = start()
    renamed.wait_until_ready(seconds=60)
    assert DEMO_PASSWORD in renamed.output
    renamed.process.send_signal(signal.SIGINT)
    renamed.wait_until_stopped()
    with closing(sqlite3.connect(data / "db.sqlite3")) as database, database:
        database.execute("UPDATE patients_user SET password = '!' WHERE username = 'staff'")
        assert database.execute("SELECT count(*) FROM patients_clinic").fetchone() == (1,)
    of_others = start()
    of_others.wait_until_ready(seconds=60)
    assert "The demo clinic is not available. Other accounts already have the demo's user names" in of_others.output
    assert DEMO_PASSWORD not in of_others.output
    assert of_others.get("/") == 200


SEND_ONE_OF_EACH = """
import uuid
from diagnosis.retraining.tasks import find_stalled_runs, work_on_run
work_on_run.delay(str(uuid.uuid4()))
find_stalled_runs.delay()
"""


@pytest.mark.slow
def test_short_work_is_done_while_long_work_waits(start, data):
    installation = start()
    installation.wait_until_ready(seconds=120)
    long_worker = [pid for pid in installation.children() if "--queues long" in command_of(pid)]
    for pid in long_worker:
        os.kill(pid, signal.SIGSTOP)
    command = [sys.executable, "manage.py", "shell", "-c", SEND_ONE_OF_EACH]
    subprocess.run(command, cwd=ROOT, env=environment(data), check=True, capture_output=True)

    def waiting() -> set[str]:
        """Return the queues of the waiting messages."""
        return {path.name.split(".")[-2] for path in (data / "queue" / "messages").glob("*.msg")}

    wait_until(lambda: waiting() == {"long"}, seconds=20)
    for pid in long_worker:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not waiting(), seconds=20)


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.1)
