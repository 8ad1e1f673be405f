"""Enqueue Celery tasks when the current transaction commits."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import ChannelError, KombuError

from dermascan.core.circuit_breaker import CircuitBreaker

logger = logging.getLogger(__name__)

# How long one page waits for the broker. While the broker is down, other pages do not wait.
TIMEOUT_SECONDS = 1.0
REST_SECONDS = 3.0
_REDIS = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS, "retry_on_timeout": False}
_AMQP = {"read_timeout": TIMEOUT_SECONDS, "write_timeout": TIMEOUT_SECONDS}
# Transport options that bound each wait, by transport. The file queue never hangs.
_BOUNDED: dict[str, dict[str, Any]] = {"redis": _REDIS, "rediss": _REDIS, "amqp": _AMQP, "amqps": _AMQP}


def enqueue_on_commit(name: str, *args: str, if_lost: Callable[[], object] | None = None) -> None:
    """Send the task ``name`` to the workers when the current transaction commits, or at once outside of one.

    If the broker is unreachable this is logged, not raised: the committed data stand, the page must say so, and the
    hourly task enqueues the work again.

    Args:
        name: the task's dotted path, so that the caller need not import it.
        if_lost: called if the broker did not accept the task.
    """

    def send() -> None:
        task = current_app.tasks[name]
        breaker = _breaker_of(task.app.conf.broker_url)
        if not breaker.may_try():
            _report_loss("the broker does not answer")
            return
        try:
            with _queue_of(task) as queue:
                task.apply_async(args=args, retry=False, connection=queue)
        except (KombuError, ChannelError, OSError) as error:
            breaker.note_failure()
            # Not the message: the broker's address may contain a password.
            _report_loss(type(error).__name__)
        else:
            breaker.note_success()

    def _report_loss(reason: str) -> None:
        logger.error("%s could not be enqueued: %s", name, reason)
        if if_lost is not None:
            if_lost()

    transaction.on_commit(send)


@cache
def _breaker_of(broker_url: str) -> CircuitBreaker:
    return CircuitBreaker(rest_seconds=REST_SECONDS if _transport(broker_url) in _BOUNDED else 0.0)


def _transport(broker_url: str) -> str:
    return broker_url.partition("://")[0]


def _queue_of(task: Any) -> Any:
    """Return a new, unopened connection: one from the pool may wait forever for a broker that hangs."""
    options = _BOUNDED.get(_transport(task.app.conf.broker_url), {})
    return task.app.connection_for_write(connect_timeout=TIMEOUT_SECONDS, transport_options=options)
