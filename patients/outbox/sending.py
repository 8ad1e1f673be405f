"""From a row to a message that has gone: claim it, write it, send it, record what came of it.

A row is claimed by compare-and-swap, so two workers never send one at the same time. A worker that is killed leaves
the row in ``sending``; once its lease is over the row is taken up again. That is longer than any task may run, so a
worker that lives never loses its lease. A worker killed between the server's answer and the row's change sends twice:
a message arrives at least once.
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
    """Try to send one message, if it is due. Returns what went wrong, None if nothing did."""
    message = _claim(message_id)
    if message is None:
        return None
    if message.give_up_at < timezone.now() and message.attempts > 1:
        words = message.last_error or _("the work was interrupted each time; the operator finds it in the log")
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
    """Try what is due, oldest first. Where a server is away, the other messages for it wait for the next time."""
    began = time.monotonic()
    servers_away = set()
    due = OutgoingMessage.objects.due().order_by("next_attempt_at", "pk").values_list("pk", "kind")
    for key, kind in list(due[:MOST_AT_ONCE]):
        server = kind == MessageKind.INCIDENT_CALL
        if server in servers_away:
            continue
        if time.monotonic() - began > within_seconds:
            return
        failure = deliver(key)
        if failure is not None and failure.is_outage:
            servers_away.add(server)


def _claim(message_id: uuid.UUID) -> OutgoingMessage | None:
    """Waiting, or sending with its lease over → sending; None if it is not due or somebody else has it."""
    now, claim = timezone.now(), uuid.uuid4()
    claimed = OutgoingMessage.objects.due(now).filter(pk=message_id)
    if not claimed.update(
        state=MessageState.SENDING, claim=claim, lease_until=now + LEASE, attempts=F("attempts") + 1
    ):
        return None
    message = OutgoingMessage.objects.select_related("user").filter(pk=message_id, claim=claim).first()
    # Later than it ever is: it was written before the clock was set back, and would be tried for as long.
    if message is not None and message.give_up_at > latest() + tried_for(message.kind):
        message.give_up_at = now + tried_for(message.kind)
        _held(message).update(give_up_at=message.give_up_at)
    return message


def _record(message: OutgoingMessage, failure: Failure, error: Exception) -> None:
    """Sending → refused, given up, or waiting for the next attempt."""
    # Without its words, which may hold an address.
    logger.warning("Message %s (%s) was not sent: %s.", message.pk, message.kind, type(error).__name__)
    if failure.is_final:
        _finish(message, MessageState.REFUSED, last_error=failure.words, address=message.address)
        return
    following = timezone.now() + delay_after(message.attempts)
    if following > message.give_up_at:
        _finish(message, MessageState.GIVEN_UP, last_error=failure.words, address=message.address)
        return
    _held(message).update(
        state=MessageState.WAITING,
        claim=None,
        lease_until=None,
        next_attempt_at=following,
        last_error=failure.words,
        address=message.address,
    )


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts."""
    return min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)


def _finish(message: OutgoingMessage, state: MessageState, **values: str) -> None:
    _held(message).update(
        state=state, claim=None, lease_until=None, finished_at=timezone.now(), subject="", body="", **values
    )


def _held(message: OutgoingMessage) -> MessageQuerySet:
    """The row, if this attempt still holds it."""
    return OutgoingMessage.objects.filter(pk=message.pk, state=MessageState.SENDING, claim=message.claim)
