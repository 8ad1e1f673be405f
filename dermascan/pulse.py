"""The heartbeat of a Celery worker, which shows that it can do work and not only that it runs.

A worker is two processes: the main process takes messages, and its child carries them out. The child may hang or be
gone while the main process looks healthy. So the main process sends it a pulse in the same way as a task, and the
child records a heartbeat when it gets the pulse. While it works on a task, a thread in the child records heartbeats.
Each worker has one child: see deploy/Procfile.
"""

import os
import threading
import time
from typing import Any

from celery import bootsteps
from celery.concurrency import prefork
from celery.signals import celeryd_after_setup, task_postrun, task_prerun, worker_process_init, worker_shutdown
from celery.worker import state
from django.conf import settings
from django.db import connection

# A pulse that an idle child has not answered in this time is lost, and another one is sent.
LOST_PULSE_SECONDS = 25.0
# Children are forked from the process that imported this module.
_MAIN = os.getpid()


class _Worker:
    """The name and queues of this worker, set before the child is forked, and its current task."""

    name = ""
    queue = ""
    task = ""


@celeryd_after_setup.connect
def _set_worker(sender: str, instance: Any, **_: Any) -> None:
    _Worker.name = sender
    _Worker.queue = ",".join(sorted(instance.app.amqp.queues.consume_from))


@worker_process_init.connect
def _start_heartbeat_thread(**_: Any) -> None:
    if os.getpid() == _MAIN:
        return  # a pool without children gets no pulses
    threading.Thread(target=_beat_for_tasks, name="heartbeat", daemon=True).start()


@task_prerun.connect
def _note_task(sender: Any, **_: Any) -> None:
    _Worker.task = sender.name


@task_postrun.connect
def _clear_task(**_: Any) -> None:
    _Worker.task = ""


@worker_shutdown.connect
def _delete_heartbeat(**_: Any) -> None:
    from dermascan.heartbeats import delete_heartbeat

    delete_heartbeat(_Worker.name)


def _beat_for_tasks() -> None:
    while True:
        time.sleep(settings.WORKER_HEARTBEAT_SECONDS)
        if _Worker.task:
            pulse()
            connection.close()


def pulse() -> None:
    """Record a heartbeat. Runs in the child."""
    from dermascan.heartbeats import beat

    beat(name=_Worker.name, queue=_Worker.queue, task=_Worker.task)


class Pulse(bootsteps.StartStopStep):
    """Worker step that sends pulses through the worker's pool."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        self._sent: Any = None
        self._sent_at = 0.0
        self._is_over = threading.Event()
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        if not isinstance(worker.pool, prefork.TaskPool):
            return  # without a child process there is nothing to check
        if worker.use_eventloop:
            # With an event loop only this thread may use the pool.
            worker.hub.call_repeatedly(settings.WORKER_HEARTBEAT_SECONDS, self._send, worker)
            worker.hub.call_soon(self._send, worker)
        else:
            threading.Thread(target=self._send_repeatedly, args=(worker,), name="pulse", daemon=True).start()

    def stop(self, worker: Any) -> None:
        self._is_over.set()

    def _send_repeatedly(self, worker: Any) -> None:
        self._send(worker)
        while not self._is_over.wait(settings.WORKER_HEARTBEAT_SECONDS):
            self._send(worker)

    def _send(self, worker: Any) -> None:
        if self._sent is not None and not self._sent.ready():
            is_lost = time.monotonic() - self._sent_at > LOST_PULSE_SECONDS and not state.active_requests
            if not is_lost:
                return
        self._sent, self._sent_at = worker.pool._pool.apply_async(pulse, waitforslot=False), time.monotonic()
