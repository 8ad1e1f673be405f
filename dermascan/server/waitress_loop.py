"""The waitress loop on sockets that already listen: one thread reads and writes, the others run the application."""

import socket
import time
from collections.abc import Callable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.task import ThreadedTaskDispatcher

from dermascan.server.listener import Listener

# How often deadlines and stop requests are checked.
TURN_SECONDS = 0.5
# The limit for the request line and all headers together.
MOST_HEADER_BYTES = 32 * 1024
# Larger request bodies are buffered in a file instead of in memory.
BODY_IN_MEMORY_BYTES = 128 * 1024
# How much of a response is buffered for a slow client before its thread has to wait.
ANSWER_AHEAD_BYTES = 64 * 1024 * 1024


class Server:
    def __init__(
        self,
        application: Any,
        *,
        sockets: list[socket.socket],
        threads: int,
        backlog: int,
        connections: int,
        most_body_bytes: int,
        log: Any,
    ) -> None:
        self._open: dict[int, Any] = {}
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(threads)
        adjustments = Adjustments(
            sockets=sockets,
            backlog=backlog,
            connection_limit=connections,
            # dermascan.core.client_address handles these headers.
            clear_untrusted_proxy_headers=False,
            max_request_header_size=MOST_HEADER_BYTES,
            max_request_body_size=most_body_bytes + 1,
            recv_bytes=64 * 1024,
            inbuf_overflow=BODY_IN_MEMORY_BYTES,
            outbuf_high_watermark=ANSWER_AHEAD_BYTES,
            ident=None,
            log_socket_errors=False,
        )
        self._listeners = [
            Listener(
                application,
                map=self._open,
                _sock=listening,
                dispatcher=self._threads,
                adj=adjustments,
                sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
                bind_socket=False,
                log=log,
            )
            for listening in sockets
        ]

    def turn(self) -> None:
        """Wait up to half a second for I/O, process it, and close overdue connections."""
        wasyncore.loop(timeout=TURN_SECONDS, use_poll=True, map=self._open, count=1)
        for listener in self._listeners:
            listener.close_overdue()

    def stop(self, *, within_seconds: float, meanwhile: Callable[[], None]) -> None:
        """Accept no more connections, finish current requests, and close the rest."""
        until = time.monotonic() + within_seconds
        for listener in self._listeners:
            listener.stop_listening()
        while time.monotonic() < until and any(listener.is_busy() for listener in self._listeners):
            meanwhile()
            self.turn()
        self._threads.shutdown(timeout=1)
        wasyncore.close_all(self._open)
