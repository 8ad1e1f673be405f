"""Decoding in separate processes, so that a time limit can be enforced.

A thread cannot be stopped: a progressive JPEG of a few megabytes can keep libjpeg busy for hours. A process can be
killed. It also has its own memory limit and Pillow settings, has no secrets in its environment, and contains a
codec's crashes.

``decode_elsewhere`` may be called from any number of threads (gunicorn's gthread, Celery). Workers are started when
needed (about 0.2 s), reused, and serve one caller at a time; the overhead for an ordinary photograph is about a
millisecond. Each calling process has at most ``MAX_WORKERS``. Waiting for a free worker, starting it, decoding and the
transfer all count against the caller's limit. After a fork (gunicorn's ``preload_app``, Celery's prefork) the child
starts its own workers. A worker ends when its parent does, even if that is killed: a busy one when it next writes, or
after ``LONGEST_JOB`` seconds.

The protocol uses a stream socket. Request: length (8 bytes), the picture's bytes. Answer: length (4 bytes), JSON
``{"height", "width"}`` or ``{"code", "template", "figures", "reason"}``, then the pixels if there are any.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mlmodel.pictures.picture_errors import BY_CODE, BrokenPicture, DecodeTimeout
from mlmodel.texts import Text

MAX_WORKERS = max(2, min(4, os.cpu_count() or 2))
# Sixty megapixels of 16-bit colour with a profile take about 1.5 GB at the peak.
MEMORY_LIMIT = 3 * 1024**3
# After this time a worker ends by itself. It happens only if its parent was killed; a parent kills it sooner.
LONGEST_JOB = 60
_READY = b"\x01"
_Buffer = TypeVar("_Buffer", bytearray, memoryview)


def decode_elsewhere(data: bytes, *, seconds: float) -> np.ndarray:
    """Return the picture in ``data``, decoded in a worker, as uint8 (H, W, 3), sRGB, upright.

    Raises a PictureError, DecodeTimeout after ``seconds`` at the latest; RuntimeError if no worker can be started,
    which is an internal error.
    """
    return _pool.decode(data, deadline=time.monotonic() + seconds)


class _Worker:
    """A decoding process and the socket to it."""

    def __init__(self, deadline: float) -> None:
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 (fixed arguments, no shell)
                [sys.executable, "-m", "mlmodel.pictures.decode_worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,  # Ctrl-C must reach only the parent, with which the worker ends
            )
        try:
            self.socket.settimeout(_left(deadline))
            if self.socket.recv(1) != _READY:
                raise RuntimeError("the picture decoder does not start: see standard error")
        except BaseException:
            self.end()
            raise

    def decode(self, data: bytes, deadline: float) -> np.ndarray:
        self.socket.settimeout(_left(deadline))
        self.socket.sendall(struct.pack(">Q", len(data)))
        self.socket.sendall(data)
        (length,) = struct.unpack(">I", self._receive(bytearray(4), deadline))
        answer = json.loads(self._receive(bytearray(length), deadline))
        if "code" in answer:
            text = Text(answer["template"], answer["figures"])
            raise BY_CODE[answer["code"]](text, reason=answer["reason"])
        pixels = np.empty((answer["height"], answer["width"], 3), dtype=np.uint8)
        self._receive(pixels.data.cast("B"), deadline)
        return pixels

    def _receive(self, buffer: _Buffer, deadline: float) -> _Buffer:
        view, received = memoryview(buffer), 0
        while received < len(view):
            self.socket.settimeout(_left(deadline))
            count = self.socket.recv_into(view[received:])
            if count == 0:
                raise EOFError("the decoder ended")
            received += count
        return buffer

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()


class _Pool:
    """A pool of idle workers with a limit on their number."""

    def __init__(self) -> None:
        self._room = threading.BoundedSemaphore(MAX_WORKERS)
        self._idle: list[_Worker] = []  # append and pop are atomic

    def decode(self, data: bytes, *, deadline: float) -> np.ndarray:
        if not self._room.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise DecodeTimeout(reason="every decoder was busy")
        try:
            return self._decode(data, deadline)
        finally:
            self._room.release()

    def _decode(self, data: bytes, deadline: float) -> np.ndarray:
        try:
            worker = self._take(deadline)
        except TimeoutError as error:
            raise DecodeTimeout(reason="the decoder did not start in time") from error
        keep = False
        try:
            pixels = worker.decode(data, deadline)
            keep = True
            return pixels
        except tuple(BY_CODE.values()):
            keep = True
            raise
        except TimeoutError as error:
            raise DecodeTimeout(reason="still decoding") from error
        except (EOFError, OSError) as error:
            raise BrokenPicture(reason=f"the decoder crashed: {error!r}") from error
        finally:
            if keep:
                self._idle.append(worker)
            else:
                worker.end()

    def _take(self, deadline: float) -> _Worker:
        while True:
            try:
                worker = self._idle.pop()
            except IndexError:
                return _Worker(deadline)
            if worker.is_alive:
                return worker
            worker.end()

    def end(self) -> None:
        while self._idle:
            self._idle.pop().end()

    def forget(self) -> None:
        """Close the sockets in a forked child without ending the workers, which belong to the parent."""
        for worker in self._idle:
            worker.socket.close()
            worker.process.returncode = 0  # not ours to wait for


def _left(deadline: float) -> float:
    """Return the seconds left, or raise TimeoutError if there are none (a timeout of 0 would mean "do not block")."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _environment() -> dict[str, str]:
    """Return the environment of a decoder: the paths of Python's modules, but no secrets."""
    here = str(Path(__file__).resolve().parents[2])
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    # The worker does no linear algebra; one thread saves address space.
    return environment | {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _start_over_in_child() -> None:
    global _pool
    _pool.forget()
    _pool = _Pool()


def main(descriptor: int) -> None:
    """Run a worker: answer requests on the inherited socket until the parent closes it."""
    # Imported here, so that the parent neither loads the codecs nor gets their settings.
    from mlmodel.pictures.decoder import decode_bytes, set_process_limits
    from mlmodel.pictures.picture_errors import PictureError

    _limit_memory()
    set_process_limits()
    with socket.socket(fileno=descriptor) as channel, channel.makefile("rb") as requests:
        channel.sendall(_READY)
        # Codecs' messages on hostile files must not get into the server's log.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        while header := requests.read(8):
            data = requests.read(struct.unpack(">Q", header)[0])
            signal.alarm(LONGEST_JOB)  # without a handler, the signal ends the process even inside a codec
            try:
                pixels = np.ascontiguousarray(decode_bytes(data))
            except PictureError as error:
                signal.alarm(0)
                _answer(channel, {"code": error.code, **asdict(error.text), "reason": error.reason[:500]})
                continue
            _answer(channel, {"height": pixels.shape[0], "width": pixels.shape[1]})
            channel.sendall(pixels.data.cast("B"))
            signal.alarm(0)
            del pixels, data  # free the memory before waiting for the next request


def _answer(channel: socket.socket, answer: dict[str, Any]) -> None:
    text = json.dumps(answer).encode()
    channel.sendall(struct.pack(">I", len(text)) + text)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


_pool = _Pool()
atexit.register(lambda: _pool.end())
os.register_at_fork(after_in_child=_start_over_in_child)

if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        main(int(sys.argv[1]))
