"""Responses, each with a line in the access log."""

from datetime import timedelta
from time import monotonic
from types import SimpleNamespace
from typing import Any

from waitress.task import ErrorTask, WSGITask


class LoggedTask(WSGITask):
    sent = 0

    def service(self) -> None:
        if self.request.is_refused:
            self.channel.leaves_body_unread = True
        if self.channel.server.is_stopping:
            self.request.headers["CONNECTION"] = "close"
        began = monotonic()
        try:
            super().service()
        finally:
            _log(self, self.get_environment(), seconds=monotonic() - began)

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        if self._is_head:
            # A file would bypass write().
            environ.pop("wsgi.file_wrapper", None)
        return environ

    def write(self, data: bytes) -> None:
        """Send a part of the response; for a HEAD request only the headers, which Django leaves to the server."""
        self.sent += 0 if self._is_head else len(data)
        super().write(b"" if self._is_head else data)

    def finish(self) -> None:
        if self._is_head:
            self.write(b"")
            self.chunked_response = False
        super().finish()

    @property
    def _is_head(self) -> bool:
        return bool(self.request.command == "HEAD")


class LoggedErrorTask(ErrorTask):
    """The response to an invalid request, or to an error in the server."""

    def service(self) -> None:
        began = monotonic()
        self.channel.leaves_body_unread = True
        try:
            super().service()
        finally:
            environ = {"REQUEST_METHOD": "-", "PATH_INFO": "-", "REMOTE_ADDR": self.channel.addr[0]}
            _log(self, environ, seconds=monotonic() - began)


def _log(task: Any, environ: dict[str, Any], *, seconds: float) -> None:
    environ = {"RAW_URI": environ.get("REQUEST_URI", "-"), "SERVER_PROTOCOL": "-", **environ}
    # A file bypasses write() and is sent completely.
    sent = getattr(task, "sent", 0) or (0 if environ["REQUEST_METHOD"] == "HEAD" else task.content_length or 0)
    response = SimpleNamespace(status=task.status, sent=sent, headers=task.response_headers)
    request = SimpleNamespace(headers=list(task.request.headers.items()))
    task.channel.server.log.access(response, request, environ, timedelta(seconds=seconds))
