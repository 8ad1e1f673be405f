"""One client connection with its time limits, measured on the monotonic clock."""

import socket
import time
from typing import Any

from waitress.channel import HTTPChannel

from dermascan.server.requests import Request
from dermascan.server.responses import LoggedErrorTask, LoggedTask

# From the connection, or the previous response, to the end of the next request's headers.
HEAD_SECONDS = 20.0
# The longest pause in a body, and its minimum rate in bytes per second after a grace period.
BODY_PAUSE_SECONDS = 60.0
BODY_GRACE_SECONDS = 30.0
BODY_LEAST_RATE = 500
# A response is abandoned if nothing could be sent for this long.
SENDING_SECONDS = 60.0
# After refusing a body, keep reading for this long, or the client would never see the refusal.
LINGER_SECONDS = 30.0
# The limit for request headers while the server stops.
STOPPING_HEAD_SECONDS = 1.0


class Connection(HTTPChannel):
    task_class = LoggedTask
    error_task_class = LoggedErrorTask
    parser_class = Request

    request: Request | None
    requests: list[Request]
    lingering_since: float | None = None
    body_since: float | None = None
    leaves_body_unread = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.waiting_since = self.heard_at = self.sent_at = time.monotonic()
        super().__init__(*arguments, **options)

    @property
    def is_busy(self) -> bool:
        return bool(self.requests or self.total_outbufs_len or self.request is not None)

    @property
    def is_before_its_request(self) -> bool:
        """Return whether the headers of the next request are incomplete."""
        if self.requests or self.total_outbufs_len or self.lingering_since is not None:
            return False
        return self.request is None or not self.request.headers_finished

    def is_overdue(self, now: float) -> bool:
        """Return whether the client takes too long. Called about every half second."""
        if self.lingering_since is not None:
            return now - self.lingering_since > LINGER_SECONDS
        if not self.total_outbufs_len:
            self.sent_at = now
        if self.requests or self.total_outbufs_len:
            self.waiting_since = now
            return now - self.sent_at > SENDING_SECONDS
        if self.is_before_its_request:
            self.body_since = None
            limit = STOPPING_HEAD_SECONDS if self.server.is_stopping else HEAD_SECONDS
            return now - self.waiting_since > limit
        return self._is_body_overdue(now)

    def _is_body_overdue(self, now: float) -> bool:
        if self.body_since is None:
            self.body_since = now
        seconds = now - self.body_since - BODY_GRACE_SECONDS
        received = self.request.body_bytes_received if self.request is not None else 0
        return now - self.heard_at > BODY_PAUSE_SECONDS or received < seconds * BODY_LEAST_RATE

    def received(self, data: bytes) -> bool:
        self.heard_at = time.monotonic()
        return bool(super().received(data))

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = int(super().send(data, do_close=do_close))
        if sent:
            self.sent_at = time.monotonic()
        return sent

    def del_channel(self, map: Any = None) -> None:  # noqa: A002  # the library's name
        """Close an incomplete request body. A request in progress is closed by its task."""
        super().del_channel(map)
        with self.requests_lock:
            if self.request is not None:
                self.request.close()

    # --- A refused body: the response is sent, and the rest of the body is discarded ----------------------------

    def readable(self) -> bool:
        if self.lingering_since is not None:
            return not self.will_close
        return bool(super().readable())

    def writable(self) -> bool:
        if self.lingering_since is not None:
            return bool(self.will_close)
        return bool(super().writable())

    def handle_read(self) -> None:
        if self.lingering_since is None:
            super().handle_read()
            return
        try:
            self.recv(self.adj.recv_bytes)  # closes at the end
        except OSError:
            self.handle_close()

    def handle_write(self) -> None:
        if self.leaves_body_unread and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close and self.connected:
                self._linger()
            return
        super().handle_write()

    def _linger(self) -> None:
        self.close_when_flushed = False
        self.lingering_since = time.monotonic()
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()
