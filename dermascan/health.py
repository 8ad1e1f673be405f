"""The public health check. It reports which part fails and nothing else; the log has the reason."""

import logging
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from kombu import Connection
from rest_framework.request import Request
from rest_framework.response import Response

from dermascan.celery import app
from dermascan.file_queue import BROKEN
from dermascan.health_schema import described
from dermascan.heartbeats import workers
from diagnosis.api.views import ApiView
from mlmodel.network.analyser import get_analyser
from mlmodel.versions.models import ModelVersion, ModelVersionStatus
from patients.outbox import is_kept_here, message_counts

logger = logging.getLogger(__name__)

BROKER_TIMEOUT = 1.0


class StatusView(ApiView):
    authentication_classes = []
    permission_classes = []

    @described
    def get(self, request: Request) -> Response:
        checks = {
            "database": _check("database", database),
            "engine": _check("engine", engine),
            "queue": _check("queue", queue),
            "workers": _check("workers", partial(workers, app)),
            "files": _check("files", files),
            "messages": _check("messages", messages),
        }
        healthy = all(check["status"] == "ok" for check in checks.values())
        shipped = checks["engine"].pop("model_version", None)
        model_version = (checks["database"].pop("model_version", None) or shipped) if shipped else None
        answer = {
            "status": "ok" if healthy else "failing",
            "model_version": model_version,
            "checks": checks,
        }
        return Response(answer, status=200 if healthy else 503)


status = StatusView.as_view()


def database() -> dict[str, Any]:
    """Return the active model version, which needs a migrated database that is up."""
    active = ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE)
    return {"model_version": active.values_list("name", flat=True).first()}


def engine() -> dict[str, Any]:
    """Return this process's network. It is loaded if necessary, which checks the hashes of its files."""
    return {"model_version": get_analyser().version}


def messages() -> dict[str, Any]:
    """Return how many messages are waiting or undelivered, and whether a mail server is configured."""
    return {**message_counts(), "mail_server": not is_kept_here()}


def files() -> dict[str, Any]:
    """Check that the photographs' folder is writable and has enough free space, if it is on this machine."""
    if not isinstance(default_storage, FileSystemStorage):
        return {}
    folder = Path(default_storage.location)
    _try_to_write(folder)
    free = shutil.disk_usage(folder).free
    if free < settings.LEAST_FREE_MEGABYTES * 1_000_000:
        raise OSError(f"Only {free / 1e6:,.0f} MB are free for photographs.")
    return {}


def queue() -> dict[str, Any]:
    """Check the broker and count waiting tasks; fail on broken messages in the file queue."""
    if app.conf.broker_url.startswith("filesystem:"):
        folder = Path(app.conf.broker_transport_options["data_folder_out"])
        _try_to_write(folder)
        if broken := sum(1 for _file in folder.glob(f"*{BROKEN}")):
            raise OSError(f"{broken} messages in {folder} are broken. See the log, then remove them.")
    with app.connection_for_write(connect_timeout=BROKER_TIMEOUT) as connection:
        connection.transport_options = {
            **connection.transport_options,
            "socket_connect_timeout": BROKER_TIMEOUT,
            "socket_timeout": BROKER_TIMEOUT,
        }
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT)
        names = (app.conf.task_default_queue, settings.LONG_QUEUE)
        return {"waiting": sum(_waiting(connection, name) for name in names)}


def _waiting(connection: Connection, name: str) -> int:
    try:
        return int(connection.channel().queue_declare(name, passive=True).message_count)
    except connection.channel_errors:
        # The broker is up, but no task was ever sent, so the queue does not exist yet.
        return 0


def _try_to_write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".status-"):
        pass


def _check(name: str, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"status": "ok", **check()}
    except Exception:
        logger.exception("The status check of the %s failed.", name)
        return {"status": "failing"}
