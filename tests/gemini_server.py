"""A local server that speaks Gemini's wire format, so that the real client is tested over real sockets.

It records every request and plays the given replies in turn; the last one repeats.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from mlmodel.explanations.explained import SECTIONS

KEY = "test-key-7c1f9d2ab4e8"


@dataclass(frozen=True)
class Reply:
    """A response with status and body. ``hangs``: no response at all. ``drips``: one byte every 50 ms."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json; charset=UTF-8"
    hangs: bool = False
    drips: bool = False


@dataclass(frozen=True)
class Recorded:
    """One received request."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def raw(self) -> bytes:
        head = "\r\n".join([self.line, *(f"{name}: {value}" for name, value in self.headers.items())])
        return head.encode() + b"\r\n\r\n" + self.body

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def words(self) -> str:
        """Return the only text that was sent."""
        return self.json["contents"][0]["parts"][0]["text"]


def texts(mark: str = "Written far away", **changed: Any) -> dict[str, Any]:
    """Return the eight texts of a valid answer; ``changed`` replaces texts, None omits one."""
    written: dict[str, Any] = {"urgency": f"{mark}: be seen within two weeks."}
    written |= {name: f"{mark}, about {name.replace('_', ' ')}.\n\n• One thing\n• Another" for name in SECTIONS}
    return {name: text for name, text in {**written, **changed}.items() if text is not None}


def candidates(*parts: str, finish: str = "STOP") -> Reply:
    """Return a reply with a single candidate that consists of these text parts."""
    content = {"role": "model", "parts": [{"text": part} for part in parts]}
    return reply_with({"candidates": [{"content": content, "finishReason": finish, "index": 0}], **_METADATA})


def good(mark: str = "Written far away", **changed: Any) -> Reply:
    return candidates(json.dumps(texts(mark, **changed)))


def reply_with(content: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(content).encode())


def error(status: int, state: str, message: str = "no") -> Reply:
    return reply_with({"error": {"code": status, "message": message, "status": state}}, status=status)


_METADATA = {
    "usageMetadata": {"promptTokenCount": 900, "candidatesTokenCount": 700, "totalTokenCount": 1600},
    "modelVersion": "gemini-2.5-flash",
    "responseId": "abc",
}
RATE_LIMITED = error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.")
BROKEN = error(500, "INTERNAL")
OVERLOADED = error(503, "UNAVAILABLE")
HANGING = Reply(hangs=True)
BLOCKED_PROMPT = reply_with({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **_METADATA})
BLOCKED_ANSWER = reply_with({"candidates": [{"finishReason": "SAFETY", "index": 0}], **_METADATA})


@dataclass
class GeminiServer:
    """A context manager that listens on a free port of 127.0.0.1."""

    replies: list[Reply] = field(default_factory=lambda: [good()])
    requests: list[Recorded] = field(default_factory=list)
    # Called for each request, before the reply is sent.
    meanwhile: Callable[[], None] | None = None

    def play(self, *replies: Reply) -> None:
        self.replies[:] = replies

    def __enter__(self) -> "GeminiServer":
        self._closing = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def _next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                server.requests.append(Recorded(self.requestline, dict(self.headers.items()), body))
                if server.meanwhile:
                    server.meanwhile()
                reply = server._next()
                if reply.hangs:
                    server._closing.wait(30)
                    return
                # The client may have disconnected after its timeout.
                with suppress(ConnectionError):
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.media_type)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if not reply.drips:
                    self.wfile.write(reply.body)
                    return
                for index in range(len(reply.body)):
                    if server._closing.is_set():
                        return
                    self.wfile.write(reply.body[index : index + 1])
                    time.sleep(0.05)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
