"""An incoming request, whose body is buffered in a file until it is complete."""

import io
from typing import Any

from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge


class Request(HTTPRequestParser):
    """A waitress request that leaves it to the application to refuse a body, with a page that explains why."""

    unread: OSError | None = None
    is_refused = False

    def received(self, data: bytes) -> int:
        try:
            consumed = int(super().received(data))
        except OSError as error:  # no room for the body
            self._refuse(error)
            return len(data)
        if self.completed and isinstance(self.error, RequestEntityTooLarge):
            self._refuse(None)
            return len(data)
        if self.headers_finished and self.body_rcv is None:
            # No body follows.
            self.expect_continue = False
        return consumed

    def get_body_stream(self) -> Any:
        if self.unread is not None:
            return _Unreadable(self.unread)
        return io.BytesIO() if self.is_refused else super().get_body_stream()

    def _refuse(self, error: OSError | None) -> None:
        """End the request. The application gets its declared length but not the body."""
        self.close()
        self.body_rcv, self.error, self.unread = None, None, error
        self.completed, self.is_refused, self.expect_continue = True, True, False
        self.headers["CONNECTION"] = "close"
        self.headers.setdefault("CONTENT_LENGTH", str(self.body_bytes_received))


class _Unreadable(io.RawIOBase):
    """A body that could not be stored; reading it raises the error."""

    def __init__(self, error: OSError) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:
        raise self._error
