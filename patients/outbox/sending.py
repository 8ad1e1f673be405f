"""Sending of queued messages: claim the row, write the message, send it, record the outcome.

A row is claimed by compare-and-swap, so two workers never send the same message at once. If a worker is killed, the
row stays ``sending`` until its lease expires, and is then retried. The lease is longer than any task may run, so a
live worker never loses it. Delivery is at least once: a message is sent twice if the worker is killed between the
server's reply and the update of the row.
"""

import logging
import time
import uuid
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.clock import latest
from patients.models import MessageKind, MessageState, OutgoingMessage
from patients.models.message import LEASE, LONGEST_DELAY, MessageQuerySet
from patients.outbox.errors import Failure, failure_of
from patients.outbox.letters import write
from patients.outbox.queueing import tried_for

logger = logging.getLogger(__name__)

FIRST_DELAY = timedelta(minutes=1)
MOST_AT_ONCE = 500


def deliver(message_id: uuid.UUID) -> Failure | None:
    """Try to send one message if it is due, and return the failure, or None if there was none."""
    message = _claim(message_id)
    if message is None:
        return None
    if message.give_up_at < timezone.now() and message.attempts > 1:
        words = message.last_error or _("each attempt was interrupted; the operator can find the cause in the log")
        _finish(message, MessageState.GIVEN_UP, last_error=words)
        return None
    try:
        letter = write(message)
        if letter is None:
            _finish(message, MessageState.CANCELLED)
            return None
        remark = letter.send(key=message.pk)
    except Exception as error:
        failure = failure_of(error)
        _record(message, failure, error)
        return failure
    _finish(message, MessageState.SENT, last_error=remark, address=message.address)
    return None


def deliver_due(*, within_seconds: float = 60.0) -> None:
    """Send due messages, oldest first. If a server is unavailable, its other messages wait for the next run."""
    started = time.monotonic()
    unavailable_servers = set()
    due = OutgoingMessage.objects.due().order_by("next_attempt_at", "pk").values_list("pk", "kind")
    for key, kind in list(due[:MOST_AT_ONCE]):
        server = kind == MessageKind.INCIDENT_CALL
        if server in unavailable_servers:
            continue
        if time.monotonic() - started > within_seconds:
            return
        failure = deliver(key)
        if failure is not None and failure.is_outage:
            unavailable_servers.add(server)


def _claim(message_id: uuid.UUID) -> OutgoingMessage | None:
    """Mark a due message as sending and return it; None if it is not due or another worker has it."""
    now, claim = timezone.now(), uuid.uuid4()
    due = OutgoingMessage.objects.due(now).filter(pk=message_id)
    if not due.update(state=MessageState.SENDING, claim=claim, lease_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    message = OutgoingMessage.objects.select_related("user").filter(pk=message_id, claim=claim).first()
    # Further ahead than possible: the row was written before the clock was set back, which must not prolong retries.
    if message is not None and message.give_up_at > latest() + tried_for(message.kind):
        message.give_up_at = now + tried_for(message.kind)
        _claimed(message).update(give_up_at=message.give_up_at)
    return message


def _record(message: OutgoingMessage, failure: Failure, error: Exception) -> None:
    """Record a failed attempt: the message is refused, given up, or waits for the next attempt."""
    # The error's text may contain an address, so only its type is logged.
    logger.warning("Message %s (%s) was not sent: %s.", message.pk, message.kind, type(error).__name__)
    if failure.is_final:
        _finish(message, MessageState.REFUSED, last_error=failure.words, address=message.address)
        return
    next_attempt = timezone.now() + delay_after(message.attempts)
    if next_attempt > message.give_up_at:
        _finish(message, MessageState.GIVEN_UP, last_error=failure.words, address=message.address)
        return
    _claimed(message).update(
        state=MessageState.WAITING,
        claim=None,
        lease_until=None,
        next_attempt_at=next_attempt,
        last_error=failure.words,
        address=message.address,
    )


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after this many attempts."""
    return min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)


def _finish(message: OutgoingMessage, state: MessageState, **values: str) -> None:
    _claimed(message).update(
        state=state, claim=None, lease_until=None, finished_at=timezone.now(), subject="", body="", **values
    )


def _claimed(message: OutgoingMessage) -> MessageQuerySet:
    """Return a queryset of the row, empty if this attempt no longer holds it."""
    return OutgoingMessage.objects.filter(pk=message.pk, state=MessageState.SENDING, claim=message.claim)
