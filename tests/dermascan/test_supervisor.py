"""The supervisor of ``make run``, with small test processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dermascan.supervisor import FIRST_SIGN_SECONDS, processes_of
from tests.places import ROOT

# Sends a heartbeat five times a second.
BEATS = """
import os, socket, time
notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notices.connect(os.environ["NOTIFY_SOCKET"])
print("began", os.getpid(), flush=True)
while True:
    notices.send(b"WATCHDOG=1")
    time.sleep(0.2)
"""
CANNOT_START = "print('The network is missing.'); raise SystemExit(3)"


class Supervised:
    def __init__(self, folder: Path, lines: dict[str, str]) -> None:
        scripts = {name: folder / f"{name}.py" for name in lines}
        for name, script in scripts.items():
            script.write_text(lines[name])
        procfile = folder / "Procfile"
        procfile.write_text("\n".join(f"{name}: exec {sys.executable} {script}" for name, script in scripts.items()))
        self.log = folder / "output"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dermascan.supervisor", str(procfile)],
                cwd=ROOT,
                env={**os.environ, "DERMASCAN_WORKER_SILENT_SECONDS": "2"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, count: int) -> list[int]:
        """Wait for this many processes to print “began”, and return them."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            began = [line.split() for line in self.log.read_text().splitlines() if " began " in line]
            if len(began) >= count:
                return [int(words[-1]) for words in began]
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


@pytest.fixture
def supervise(tmp_path) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def _supervise(**lines: str) -> Supervised:
        started.append(Supervised(tmp_path, lines))
        return started[-1]

    yield _supervise
    for one in started:
        one.process.terminate()
        one.process.wait(timeout=10)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_only_dead_or_silent_processes_are_restarted(supervise, number):
    supervised = supervise(worker=BEATS, long=BEATS)
    first, other = supervised.wait_for(2)
    time.sleep(0.5)
    os.kill(first, number)
    assert len(supervised.wait_for(3)) == 3
    assert not is_there(first)
    assert is_there(other)
    assert "restarting it" in supervised.log.read_text()


def test_only_marked_processes_may_be_silent_from_the_start(tmp_path):
    """The Procfile line decides, not the name; in our Procfile only gunicorn's has the mark."""
    (tmp_path / "Procfile").write_text("scanner: HEARTBEAT=none exec scan\nweb: exec serve --heartbeat\n")
    long_after = time.monotonic() + FIRST_SIGN_SECONDS + 1
    for procfile, expected in (
        (tmp_path / "Procfile", {"scanner": False, "web": True}),
        (ROOT / "deploy" / "Procfile", {"web": False, "worker": True, "long": True, "beat": True}),
    ):
        processes = processes_of(procfile)
        for process in processes:
            process.started_at = time.monotonic()
        assert not any(process.is_silent(time.monotonic()) for process in processes)
        assert {process.name: process.is_silent(long_after) for process in processes} == expected
        for process in processes:
            process.notices.close()


@pytest.mark.slow
def test_a_process_that_cannot_start_stops_all(supervise):
    supervised = supervise(web=CANNOT_START, worker=BEATS)
    assert supervised.process.wait(timeout=20) == 1
    output = supervised.log.read_text()
    assert "The network is missing." in output
    assert "web ended with status 3: stopping everything." in output


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all(supervise, number):
    supervised = supervise(worker=BEATS, long=BEATS)
    running = supervised.wait_for(2)
    supervised.process.send_signal(number)
    assert supervised.process.wait(timeout=20) == 128 + number
    assert not [pid for pid in running if is_there(pid)]
