"""A small SMTP server that accepts, refuses, hangs or hangs up as configured."""

import socketserver
import threading
from collections.abc import Callable
from typing import Any


class MailServer:
    """Replies to SMTP verbs from ``replies``: a line, or "" to hang up. ``hangs`` lists verbs without a reply.

    Attributes:
        unknown: addresses that it refuses, as a server does whose mailbox is gone.
    """

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.hangs: set[str] = set()
        self.unknown: set[str] = set()
        self.taken: list[tuple[str, str]] = []
        self.on_taken: Callable[[], Any] | None = None
        self.is_over = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer._talk(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "MailServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _talk(self, handler: socketserver.StreamRequestHandler) -> None:
        recipient = ""
        if not self._answer(handler, "CONNECT", "220 ready"):
            return
        while line := handler.rfile.readline():
            verb = line.split(b" ")[0].strip().decode().upper()
            if verb == "RCPT":
                recipient = line.decode().split("<")[1].split(">")[0]
            ordinary = {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")
            if verb == "RCPT" and recipient in self.unknown:
                ordinary = "550 5.1.1 no such mailbox"
            if not self._answer(handler, verb, ordinary) or verb == "QUIT":
                return
            if verb == "DATA" and self.replies.get("DATA", "354").startswith("354"):
                lines = []
                while (line := handler.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                self.taken.append((recipient, b"".join(lines).decode()))
                if self.on_taken:
                    self.on_taken()
                if not self._answer(handler, "BODY", "250 taken"):
                    return

    def _answer(self, handler: socketserver.StreamRequestHandler, verb: str, ordinary: str) -> bool:
        if verb in self.hangs:
            self.is_over.wait(20)
            return False
        reply = self.replies.get(verb, ordinary)
        if reply:
            handler.wfile.write(reply.encode() + b"\r\n")
        return bool(reply)
