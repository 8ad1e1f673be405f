"""The one task system. Tasks live in each app's ``tasks.py``."""

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
def finish_the_task_in_hand(**_: Any) -> None:
    """Leave it to the main process to end its children: a stop is sent to the whole group, in the middle of a task."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@after_setup_logger.connect
@after_setup_task_logger.connect
def write_a_record_as_one_line(logger: logging.Logger, **_: Any) -> None:
    """Celery's own handlers, for tasks and for log files, would let a text forge lines."""
    for handler in logger.handlers:
        if not isinstance(handler.formatter, LineFormatter):
            handler.setFormatter(LineFormatter(app.conf.worker_log_format))
