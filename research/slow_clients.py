"""Response times while slow clients hold connections, and throughput without them.

    python -m research.slow_clients [--clients 12 50 200] [--pages 20] [--seconds 5] [--worker gthread]

Three kinds of slow clients: one sends half of the request headers, one sends a body byte by byte, one does not read
the response. Meanwhile the home page is requested; no response within ten seconds is a failure. Then, without them:
pages and static files per second from eight concurrent clients (for uploads see ``benchmarks.uploads``). With
``--worker gthread`` gunicorn's own threads serve, as they did before dermascan/server.
"""

import argparse
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.scratch import scratch_installation
from benchmarks.web_server import WebServer

PATIENCE_SECONDS = 10.0
VISITORS = 8
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
HEAD_OF_A_FORM = (
    b"POST /contact/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken=%s\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n" % (b"a" * 32)
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="*", default=[12, 50, 200])
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--worker", help="another gunicorn worker class, such as gthread")
    options = parser.parse_args()
    arguments = ["--worker-class", options.worker] if options.worker else []
    with scratch_installation() as folder, WebServer(*arguments) as server:
        style_sheet = f"/static/{next((folder / 'static').rglob('*.css')).relative_to(folder / 'static')}"
        for name, first, dripped in (
            ("half a head", HALF_A_HEAD, b"a"),
            ("a slow body", HEAD_OF_A_FORM, b"a"),
            ("an answer unread", f"GET {style_sheet} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 100, b""),
        ):
            for count in options.clients:
                with slow_visitors(server.port, count, first=first, dripped=dripped):
                    report(f"{count} visitors with {name}", pages(server.port, options.pages))
        if options.seconds:
            measure_throughput(server, style_sheet, options.seconds)


@contextmanager
def slow_visitors(port: int, count: int, *, first: bytes, dripped: bytes) -> Iterator[None]:
    """Open connections that send ``first`` at once and then a little every half second. Closed ones reconnect."""
    is_over = threading.Event()
    thread = threading.Thread(target=_drip, args=(port, count, first, dripped, is_over), daemon=True)
    thread.start()
    time.sleep(1.0)
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _drip(port: int, count: int, first: bytes, dripped: bytes, is_over: threading.Event) -> None:
    sockets: list[socket.socket | None] = [None] * count
    while not is_over.wait(0.5 if sockets[0] else 0):
        for index, connection in enumerate(sockets):
            try:
                if connection is None:
                    connection = sockets[index] = socket.create_connection(("127.0.0.1", port), timeout=0.2)
                    connection.sendall(first)
                elif dripped:
                    connection.sendall(dripped)
            except OSError:
                if connection is not None:
                    connection.close()
                sockets[index] = None
    for connection in sockets:
        if connection is not None:
            connection.close()


def pages(port: int, count: int) -> list[float | None]:
    """Return the seconds of each request for the home page, None for failures. Stops after three failures."""
    times: list[float | None] = []
    while len(times) < count and times.count(None) < 3:
        began = time.perf_counter()
        try:
            fetch(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS), "/")
        except OSError:
            times.append(None)
        else:
            times.append(time.perf_counter() - began)
    return times


def report(name: str, times: list[float | None]) -> None:
    came = np.array([seconds for seconds in times if seconds is not None]) * 1000
    figures = f"p50 {np.median(came):.0f} ms, max {came.max():.0f} ms" if len(came) else "nothing came"
    print(f"{name}: {len(came)} of {len(times)} pages, {figures}", flush=True)


def measure_throughput(server: WebServer, style_sheet: str, seconds: float) -> None:
    for name, path in (("home pages", "/"), ("style sheets", style_sheet)):
        before = server.cpu_seconds()
        times = np.array(_ask_at_once(server.port, path, seconds)) * 1000
        cost = (server.cpu_seconds() - before) / len(times) * 1000
        median, slow = np.percentile(times, [50, 95])
        print(f"{name}: {len(times) / seconds:.0f} a second, p50 {median:.1f} ms, p95 {slow:.1f} ms, ", end="")
        print(f"{cost:.2f} ms of processor time each", flush=True)


def _ask_at_once(port: int, path: str, seconds: float) -> list[float]:
    times: list[float] = []
    until = time.perf_counter() + seconds

    def visit() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while (began := time.perf_counter()) < until:
            fetch(connection, path)
            times.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=visit) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def fetch(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    connection.getresponse().read()


if __name__ == "__main__":
    main()
