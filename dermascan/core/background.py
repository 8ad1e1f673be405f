"""Work for the workers, handed over once what it is about is committed."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import ChannelError, KombuError

from dermascan.core.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

# A page waits this long for the queue, once; while the queue is away the others do not wait at all.
TIMEOUT_SECONDS = 1.0
REST_SECONDS = 3.0
_REDIS = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS, "retry_on_timeout": False}
_AMQP = {"read_timeout": TIMEOUT_SECONDS, "write_timeout": TIMEOUT_SECONDS}
# By transport: the options that bound each wait for an answer. The queue in files never hangs.
_BOUNDED: dict[str, dict[str, Any]] = {"redis": _REDIS, "rediss": _REDIS, "amqp": _AMQP, "amqps": _AMQP}


def enqueue_on_commit(name: str, *args: str, if_lost: Callable[[], object] | None = None) -> None:
    """Send the task ``name`` to the workers when the current transaction commits, or at once outside of one.

    A queue that is out of reach is logged and not raised, and is not waited for: what was committed stands, the page
    must say so, and the hourly task hands it over again.

    Args:
        name: the path of the task: whoever hands it over need not import what it calls.
        if_lost: called where the queue did not take it.
    """

    def send() -> None:
        task = current_app.tasks[name]
        breaker = _breaker_of(task.app.conf.broker_url)
        if not breaker.may_try():
            _lose("the queue does not answer")
            return
        try:
            with _queue_of(task) as queue:
                task.apply_async(args=args, retry=False, connection=queue)
        except (KombuError, ChannelError, OSError) as error:
            breaker.note_failure()
            # Without its words: the broker's address may hold a password.
            _lose(type(error).__name__)
        else:
            breaker.note_success()

    def _lose(why: str) -> None:
        logger.error("%s could not be handed to the workers: %s", name, why)
        if if_lost is not None:
            if_lost()

    transaction.on_commit(send)


@cache
def _breaker_of(broker_url: str) -> CircuitBreaker:
    return CircuitBreaker(rest_seconds=REST_SECONDS if _transport(broker_url) in _BOUNDED else 0.0)


def _transport(broker_url: str) -> str:
    return broker_url.partition("://")[0]


def _queue_of(task: Any) -> Any:
    """Return a connection of its own, not yet made: one of the pool may wait without end for a queue that hangs."""
    bounded = _BOUNDED.get(_transport(task.app.conf.broker_url), {})
    return task.app.connection_for_write(connect_timeout=TIMEOUT_SECONDS, transport_options=bounded)
