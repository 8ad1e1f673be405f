"""A gunicorn worker that serves through waitress."""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker

from dermascan.server.waitress_loop import Server

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WaitressWorker(Worker):
    def run(self) -> None:
        # Waitress logs a warning for every request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        server = Server(
            _with_scheme(self.wsgi, is_trusted=self._trusts),
            sockets=[listening.sock for listening in self.sockets],
            threads=self.cfg.threads,
            backlog=self.cfg.backlog,
            connections=self.cfg.worker_connections,
            # The application reports larger bodies; see dermascan.server.requests.
            most_body_bytes=settings.UPLOAD_MAX_REQUEST_BYTES,
            log=self.log,
        )
        while self.alive and self.ppid == os.getppid():
            self.notify()
            server.turn()
        server.stop(within_seconds=self.cfg.graceful_timeout, meanwhile=self.notify)

    def _trusts(self, address: str) -> bool:
        return "*" in self.cfg.forwarded_allow_ips or address in self.cfg.forwarded_allow_ips


def _with_scheme(application: Application, *, is_trusted: Callable[[str], bool]) -> Application:
    """Honour X-Forwarded-Proto from trusted proxies, as gunicorn's own workers do."""

    def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_X_FORWARDED_PROTO") == "https" and is_trusted(environ["REMOTE_ADDR"]):
            environ["wsgi.url_scheme"] = "https"
        return application(environ, start_response)

    return served
