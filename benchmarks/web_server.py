"""Run the site's web server in a separate process, for benchmarks over a socket."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class WebServer:
    """A context manager that runs gunicorn as ``make run`` does, on a free port."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    def __enter__(self) -> "WebServer":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", *self._arguments]
        self._process = subprocess.Popen(
            [*command, "dermascan.wsgi"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(self.port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(self.address + "/", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def cpu_seconds(self) -> float:
        """Return the CPU time of the web processes, which does not depend on other load."""
        fields = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in self._children()]
        return sum(int(user) + int(system) for *_, user, system in (one[:13] for one in fields)) / os.sysconf(
            "SC_CLK_TCK"
        )

    def peak_megabytes(self) -> float:
        """Return the largest resident memory of the web processes so far, without their decoders."""
        states = [Path(f"/proc/{child}/status").read_text().splitlines() for child in self._children()]
        return sum(int(line.split()[1]) for state in states for line in state if line.startswith("VmHWM")) / 1024

    def _children(self) -> list[str]:
        return Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=40)
