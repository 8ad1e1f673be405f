"""The heartbeat of a Celery worker, which tells whether it would do work, and not only whether it is there.

A worker is two processes: the main one takes messages, its child carries them out. The child may be gone or stopped
while the main one looks well. So the main one hands it a pulse in the way in which it hands it tasks, and the child
beats when it gets there; at work on a task it beats by itself. Each worker has one child: see deploy/Procfile.
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

# A pulse that an idle child has not carried out by then was lost, and another is sent.
LOST_PULSE_SECONDS = 25.0
# Children are forked from the process that has read this.
_MAIN = os.getpid()


class _Worker:
    """Whose heartbeat this is: known in the main process, and in the child that it forks. And the task in hand."""

    name = ""
    queue = ""
    task = ""


@celeryd_after_setup.connect
def _know_yourself(sender: str, instance: Any, **_: Any) -> None:
    _Worker.name = sender
    _Worker.queue = ",".join(sorted(instance.app.amqp.queues.consume_from))


@worker_process_init.connect
def _beat_while_at_work(**_: Any) -> None:
    if os.getpid() == _MAIN:
        return  # a pool without children, which sends no pulse either
    threading.Thread(target=_beat_for_tasks, name="heartbeat", daemon=True).start()


@task_prerun.connect
def _note_task(sender: Any, **_: Any) -> None:
    _Worker.task = sender.name


@task_postrun.connect
def _note_no_task(**_: Any) -> None:
    _Worker.task = ""


@worker_shutdown.connect
def _take_leave(**_: Any) -> None:
    from dermascan.heartbeats import take_leave

    take_leave(_Worker.name)


def _beat_for_tasks() -> None:
    while True:
        time.sleep(settings.WORKER_HEARTBEAT_SECONDS)
        if _Worker.task:
            pulse()
            connection.close()


def pulse() -> None:
    """Beat. Runs in the child."""
    from dermascan.heartbeats import beat

    beat(name=_Worker.name, queue=_Worker.queue, task=_Worker.task)


class Pulse(bootsteps.StartStopStep):
    """Sends pulses through the pool of the worker."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        self._sent: Any = None
        self._sent_at = 0.0
        self._is_over = threading.Event()
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        if not isinstance(worker.pool, prefork.TaskPool):
            return  # nothing but a child can be lost while the main process looks well
        if worker.use_eventloop:
            # There the pool may be used by this thread alone.
            worker.hub.call_repeatedly(settings.WORKER_HEARTBEAT_SECONDS, self._send, worker)
            worker.hub.call_soon(self._send, worker)
        else:
            threading.Thread(target=self._send_again_and_again, args=(worker,), name="pulse", daemon=True).start()

    def stop(self, worker: Any) -> None:
        self._is_over.set()

    def _send_again_and_again(self, worker: Any) -> None:
        self._send(worker)
        while not self._is_over.wait(settings.WORKER_HEARTBEAT_SECONDS):
            self._send(worker)

    def _send(self, worker: Any) -> None:
        if self._sent is not None and not self._sent.ready():
            is_lost = time.monotonic() - self._sent_at > LOST_PULSE_SECONDS and not state.active_requests
            if not is_lost:
                return
        self._sent, self._sent_at = worker.pool._pool.apply_async(pulse, waitforslot=False), time.monotonic()
