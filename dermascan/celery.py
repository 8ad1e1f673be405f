"""The one task system. Tasks live in each app's ``tasks.py``."""

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dermascan.settings.local")
TRANSPORT_ALIASES["filesystem"] = "dermascan.file_queue:Transport"

app = Celery("dermascan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def finish_the_task_in_hand(**_: Any) -> None:
    """Leave it to the main process to end its children: a stop is sent to the whole group, in the middle of a task."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
