"""Keep the processes of a Procfile running:  python -m dermascan.supervisor PROCFILE

A process that ends, or sends no heartbeat for too long, is restarted. Heartbeats use systemd's protocol
(``WATCHDOG=1`` to the socket in NOTIFY_SOCKET), and silence is measured on the monotonic clock. A process without
heartbeats is marked by ``HEARTBEAT=none`` in its line. Ctrl-C stops all processes; a second Ctrl-C kills them.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

SILENT_SECONDS = float(os.environ.get("DERMASCAN_WORKER_SILENT_SECONDS") or 60)
# The first heartbeat comes only after all imports.
FIRST_SIGN_SECONDS = max(SILENT_SECONDS, 180.0)
# For gunicorn, which monitors its own workers.
NO_HEARTBEAT = "HEARTBEAT=none"
STOP_SECONDS = 25.0
# A process that ends this soon after its start, this many times in a row, is not restarted again.
SOON_SECONDS, SOON_TIMES = 60.0, 4
LONGEST_PAUSE_SECONDS = 15.0
# gunicorn's exit status for a worker that cannot start.
CANNOT_START = 3
_OUTPUT = threading.Lock()


def main() -> None:
    sys.exit(Supervisor(processes_of(Path(sys.argv[1]))).run())


def processes_of(procfile: Path) -> list["Process"]:
    lines = [line.partition(":") for line in procfile.read_text().splitlines() if line.strip()]
    return [Process(name.strip(), command.strip()) for name, _colon, command in lines]


class Process:
    """One line of the Procfile, and its current process."""

    def __init__(self, name: str, command: str) -> None:
        self.name, self.command = name, command
        self.sends_heartbeat = NO_HEARTBEAT not in command.split()
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.running: subprocess.Popen[bytes] | None = None
        self.start_at = time.monotonic()
        self.started_at = self.heard_at = 0.0
        self.is_watched = False
        self.ended_soon = 0

    def start(self, folder: Path) -> None:
        address = folder / self.name
        if not address.exists():
            self.notices.bind(str(address))
            self.notices.setblocking(False)
        self.running = subprocess.Popen(  # noqa: S603  # the Procfile's command
            ["/bin/sh", "-c", self.command],
            env={**os.environ, "NOTIFY_SOCKET": str(address)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started_at, self.is_watched = time.monotonic(), False
        threading.Thread(target=self._forward_output, args=(self.running,), daemon=True).start()

    def listen(self) -> None:
        try:
            while notice := self.notices.recv(4096):
                if b"WATCHDOG=1" in notice:
                    self.is_watched, self.heard_at = True, time.monotonic()
        except BlockingIOError:
            return

    def is_silent(self, now: float) -> bool:
        """Return whether the heartbeat is overdue."""
        if self.is_watched:
            return now - self.heard_at > SILENT_SECONDS
        return self.sends_heartbeat and now - self.started_at > FIRST_SIGN_SECONDS

    def kill(self) -> None:
        """Kill the process with its children."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def plan_next_start(self, now: float, *, ended_by_itself: bool) -> bool:
        """Schedule the next start after the process ended; return False if it should not be restarted."""
        assert self.running is not None
        self.kill()
        ended_soon = ended_by_itself and now - self.started_at < SOON_SECONDS
        self.ended_soon = self.ended_soon + 1 if ended_soon else 0
        is_hopeless = self.running.returncode == CANNOT_START or self.ended_soon >= SOON_TIMES
        self.running = None
        self.start_at = now + min(2.0**self.ended_soon - 1, LONGEST_PAUSE_SECONDS)
        return not is_hopeless

    def _forward_output(self, running: subprocess.Popen[bytes]) -> None:
        assert running.stdout is not None
        for line in running.stdout:
            say(self.name, line.decode(errors="replace").rstrip("\n"))
        running.stdout.close()


class Supervisor:
    def __init__(self, processes: list[Process]) -> None:
        self._processes = processes
        self._signals: list[int] = []

    def run(self) -> int:
        """Run all processes until a stop signal, or until one cannot start; return the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note_signal)
        with tempfile.TemporaryDirectory(prefix="dermascan-") as folder, selectors.DefaultSelector() as selector:
            for process in self._processes:
                process.start(Path(folder))
                selector.register(process.notices, selectors.EVENT_READ, process)
            is_hopeful = True
            while is_hopeful and not self._signals:
                for key, _events in selector.select(timeout=0.2):
                    key.data.listen()
                states = [self._look_after(process, Path(folder)) for process in self._processes]
                is_hopeful = all(states)
            self._stop()
        return 128 + self._signals[0] if self._signals else 1

    def _look_after(self, process: Process, folder: Path) -> bool:
        """Restart the process if necessary; return False if it would only fail again."""
        now = time.monotonic()
        if process.running is None:
            if now >= process.start_at:
                process.start(folder)
            return True
        status = process.running.poll()
        if status is None and not process.is_silent(now):
            return True
        how = f"ended with status {status}" if status is not None else f"sent no heartbeat for {SILENT_SECONDS:g} s"
        is_hopeful = process.plan_next_start(now, ended_by_itself=status is not None)
        say("run", f"{process.name} {how}: {'restarting it.' if is_hopeful else 'stopping everything.'}")
        return is_hopeful

    def _stop(self) -> None:
        running = [process.running for process in self._processes if process.running is not None]
        for one in running:
            one.terminate()
        until = time.monotonic() + STOP_SECONDS
        while len(self._signals) < 2 and time.monotonic() < until and any(one.poll() is None for one in running):
            time.sleep(0.05)
        for process in self._processes:
            process.kill()

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)


def say(name: str, line: str) -> None:
    with _OUTPUT:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {name:<6} | {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
