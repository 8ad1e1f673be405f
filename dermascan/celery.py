"""The Celery application. Tasks are in each app's ``tasks.py``."""

import logging
import os
import signal
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger, worker_process_init
from kombu.transport import TRANSPORT_ALIASES

from dermascan.logs import LineFormatter
from dermascan.pulse import Pulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dermascan.settings.local")
TRANSPORT_ALIASES["filesystem"] = "dermascan.file_queue:Transport"

app = Celery("dermascan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Pulse)


@worker_process_init.connect
def ignore_sigterm(**_: Any) -> None:
    """Ignore SIGTERM in the child, which may be in the middle of a task; the main process ends its children."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@after_setup_logger.connect
@after_setup_task_logger.connect
def use_line_formatter(logger: logging.Logger, **_: Any) -> None:
    """Use our line formatter for Celery's handlers, so that no text can forge log lines."""
    for handler in logger.handlers:
        if not isinstance(handler.formatter, LineFormatter):
            handler.setFormatter(LineFormatter(app.conf.worker_log_format))
