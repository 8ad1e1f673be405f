"""The web server over real sockets, with an application that returns what it received."""

import errno
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from waitress.receiver import FixedStreamReceiver

from dermascan.server import connection
from dermascan.server.waitress_loop import Server

MOST = 300_000
LONG = b"x" * 200_000


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, int]] = []

    def access(self, answer, request, environ, _time) -> None:
        self.lines.append((f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", answer.status, answer.sent))


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/parts":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"one ", b"two ", b"three"])
    if path == "/fault":
        raise RuntimeError("a fault")
    if path == "/wait":
        environ["test.may_go_on"] = MAY_GO_ON.wait(10)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MOST:
        status, body = "413 Content Too Large", f"{length} is too much".encode()
    else:
        try:
            body = str(len(environ["wsgi.input"].read())).encode()
            status = "200 OK"
        except OSError as error:
            status, body = "507 Insufficient Storage", errno.errorcode[error.errno or 0].encode()
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


MAY_GO_ON = threading.Event()


@pytest.fixture
def served() -> Iterator[SimpleNamespace]:
    MAY_GO_ON.clear()
    listening = socket.create_server(("127.0.0.1", 0))
    log = Log()
    server = Server(
        application, sockets=[listening], threads=2, backlog=64, connections=12, most_body_bytes=MOST, log=log
    )
    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set():
            server.turn()
        server.stop(within_seconds=5, meanwhile=lambda: None)

    thread = threading.Thread(target=turn)
    thread.start()
    yield SimpleNamespace(port=listening.getsockname()[1], log=log, stop=stop, thread=thread)
    MAY_GO_ON.set()
    stop.set()
    thread.join()


def connect(served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=5)


def ask(served, path="/", method="GET", **options) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    client.request(method, path, **options)
    answer = client.getresponse()
    received = answer.status, answer.read()
    client.close()
    return received


def is_cut_off(client: socket.socket) -> bool:
    """Keep sending for ten seconds."""
    for _time in range(200):
        try:
            client.sendall(b"a")
        except OSError:
            return True
        time.sleep(0.05)
    return False


def everything(client: socket.socket) -> bytes:
    received = b""
    while part := client.recv(65536):
        received += part
    return received


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + LONG[:150_000],
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_slow_senders_block_nobody(served, begun):
    slow = [connect(served) for _ in range(8)]
    for client in slow:
        client.sendall(begun)
    assert ask(served) == (200, b"0")
    for client in slow:
        client.close()


def test_slow_readers_block_nobody(served):
    slow = [connect(served) for _ in range(8)]
    for client in slow:
        client.sendall(b"GET /parts HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
    assert ask(served) == (200, b"0")
    for client in slow:
        client.close()


@pytest.mark.parametrize("name", ["HEAD_SECONDS", "BODY_PAUSE_SECONDS"])
def test_overdue_connections_are_closed(served, monkeypatch, name):
    monkeypatch.setattr(connection, name, 0.1)
    with connect(served) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n" + b"\r\n12" * (name != "HEAD_SECONDS"))
        assert everything(client) == b""


def test_a_dripping_body_is_closed_in_the_end(served, monkeypatch):
    monkeypatch.setattr(connection, "BODY_GRACE_SECONDS", 0.3)
    with connect(served) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        assert is_cut_off(client)


def test_a_clock_jump_closes_no_connection(served, monkeypatch):
    with connect(served) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab")
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 3600)
        assert ask(served) == (200, b"0")
        time.sleep(0.7)  # until the next deadline check
        client.sendall(b"cd")
        assert everything(client).endswith(b"\r\n\r\n4")


def test_at_the_limit_the_longest_waiting_connection_is_closed(served):
    slow = [connect(served) for _ in range(30)]
    for client in slow:
        client.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert ask(served) == (200, b"0")
    for client in slow:
        client.close()


def test_a_body_is_complete(served):
    assert ask(served, method="POST", body=LONG) == (200, b"200000")
    assert ask(served, method="POST", body=iter([LONG, b"more"]), encode_chunked=True) == (200, b"200004")


@pytest.mark.parametrize(
    "head", [b"Content-Length: 9000000\r\n", b"Content-Length: 9000000\r\nExpect: 100-continue\r\n"]
)
def test_a_body_that_is_too_long_is_refused_by_the_application(served, head):
    with connect(served) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n" + LONG)
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer
    assert answer.endswith(b"9000000 is too much")
    assert b"Connection: close" in answer


def test_a_long_chunked_body_is_refused_by_the_application(served):
    status, _body = ask(served, method="POST", body=iter([LONG, LONG]), encode_chunked=True)
    assert status == 413


@pytest.mark.parametrize(("length", "sent", "answered"), [(b"3", b"abc", b"3"), (b"0", b"", b"0")])
def test_expect_continue_is_answered(served, length, sent, answered):
    with connect(served) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: "
            + length
            + b"\r\n\r\n"
        )
        if sent:
            assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(sent)
        assert everything(client).endswith(b"\r\n\r\n" + answered)


def test_the_application_gets_the_error_of_a_full_disk(served, monkeypatch):
    def full(*_arguments) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FixedStreamReceiver, "received", full)
    assert ask(served, method="POST", body=b"abc") == (507, b"ENOSPC")


def test_a_response_in_parts(served):
    assert ask(served, "/parts") == (200, b"one two three")


@pytest.mark.parametrize("path", ["/", "/parts"])
def test_head_has_no_body(served, path):
    with connect(served) as client:
        client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        assert everything(client).endswith(b"\r\n\r\n")


def test_every_response_is_a_line_in_the_log(served):
    ask(served, "/parts")
    ask(served, "/fault")
    ask(served, "/", "HEAD")
    with connect(served) as client:
        client.sendall(b"no request\r\n\r\n")
        assert everything(client).startswith(b"HTTP/1.0 400 ")
    with connect(served) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: " + LONG + b"\r\n\r\n")
        assert everything(client).startswith(b"HTTP/1.0 431 ")
    lines = [(line, status[:3]) for line, status, _sent in served.log.lines]
    assert lines[:2] == [("GET /parts", "200"), ("GET /fault", "200")]
    assert ("HEAD /", "200") in lines
    assert ("- -", "400") in lines
    assert ("- -", "431") in lines
    assert served.log.lines[0][2] == len(b"one two three")


def test_a_stop_waits_only_for_requests_in_progress(served):
    idle, half = connect(served), connect(served)
    half.sendall(b"GET / HTTP/1.1\r\n")
    with connect(served) as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        served.stop.set()
        time.sleep(0.7)
        with pytest.raises(ConnectionRefusedError):
            connect(served)
        MAY_GO_ON.set()
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 200 ")
    served.thread.join(timeout=5)
    assert not served.thread.is_alive()
    for slow in (idle, half):
        slow.close()
