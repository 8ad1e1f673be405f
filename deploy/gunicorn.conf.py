"""gunicorn settings for embedded and production installations."""

import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = os.environ.get("PORT", "8000")

bind = f"{HOST}:{PORT}"
# One process by default, so that the network is in memory once. Its engine uses every core, and threads serve pages
# meanwhile. Slow visitors do not occupy threads: see dermascan/server.
worker_class = "dermascan.server.worker.WaitressWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# Connections per process. Their time limits are in dermascan/server/connection.py.
worker_connections = int(os.environ.get("WEB_CONNECTIONS", "1000"))
# Heartbeats come from the reading thread, so this only ends processes that hang, never a slow request.
timeout = 60
graceful_timeout = 20

# The heartbeat is a touched file: on a stalled disk it would fail and healthy workers would be killed.
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108
control_socket_disable = True
proc_name = "dermascan"


class PlainLogger(Logger):
    """Logs the visitor's address instead of the proxy's, without query strings or forgeable lines."""

    def setup(self, cfg: Any) -> None:
        from dermascan.logs import LineFormatter, ServerLineFormatter

        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(ServerLineFormatter(self.error_fmt, self.datefmt))
        for handler in self.access_log.handlers:
            handler.setFormatter(LineFormatter(self.access_fmt))

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        from django.conf import settings

        from dermascan.core.client_address import address_from
        from dermascan.logs import printable

        atoms = super().atoms(resp, req, environ, request_time)
        atoms["h"] = address_from(environ, proxies=settings.PROXIES)
        return {name: printable(value) if isinstance(value, str) else value for name, value in atoms.items()}


logger_class = PlainLogger
accesslog = "-"
errorlog = "-"
# The path without its query string: a patient search contains a name, and names do not belong in logs.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'


def post_worker_init(worker: Any) -> None:
    """Warm up: import the pages, load the network and analyse a photograph, so that no visitor waits for it.

    Runs after the fork, which the engine's threads would not survive. A missing or altered network stops the server
    here and reports the reason.
    """
    from django.conf import settings
    from django.urls import get_resolver

    from mlmodel.network.analyser import get_analyser
    from mlmodel.pictures.picture import decode

    photograph = Path(settings.BASE_DIR) / "static" / "samples" / "ISIC_0024310.jpg"
    get_analyser().analyse(decode(photograph.read_bytes()))
    assert get_resolver().url_patterns
    worker.log.info("DermaScan is ready on http://%s (network %s)", bind, get_analyser().version)
