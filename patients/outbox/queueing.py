"""Messages enter here, in the transaction of what they tell of, and leave the queue by hand here."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from dermascan.core.background import enqueue_on_commit
from dermascan.core.clock import around
from patients.models import MessageKind, MessageState, OutgoingMessage, User
from patients.models.message import UNDELIVERED

TRIED_FOR = timedelta(days=4)
# A link that somebody asked for and waits for is of no use a day later.
TRIED_FOR_SOMEBODY_WHO_WAITS = timedelta(hours=6)


def queue_message(
    kind: MessageKind,
    *,
    about: UUID | None = None,
    user: User | None = None,
    address: str = "",
    subject: str = "",
    body: str = "",
) -> OutgoingMessage:
    """Keep a message that must arrive, and have a worker send it once the current transaction commits.

    A queue out of reach loses nothing: the schedule looks for rows that wait.
    """
    message = OutgoingMessage.objects.create(
        kind=kind,
        about=about,
        user=user,
        address=address,
        subject=subject,
        body=body,
        give_up_at=timezone.now() + tried_for(kind),
    )
    _enqueue(message)
    return message


def send_again(message: OutgoingMessage) -> bool:
    """Refused or given up → waiting, at once; False if it is in another state by now."""
    now = timezone.now()
    undelivered = OutgoingMessage.objects.filter(pk=message.pk, state__in=UNDELIVERED)
    if not undelivered.exclude(kind__in=(MessageKind.PASSWORD_RESET, MessageKind.ACCOUNT)).update(
        state=MessageState.WAITING,
        finished_at=None,
        next_attempt_at=now,
        give_up_at=now + tried_for(message.kind),
    ):
        return False
    _enqueue(message)
    return True


def cancel_messages(**which: Any) -> int:
    """Cancel what has not gone out yet and return how many. What a worker is sending this moment cannot be stopped."""
    return OutgoingMessage.objects.filter(state=MessageState.WAITING, **which).update(
        state=MessageState.CANCELLED, finished_at=timezone.now(), subject="", body=""
    )


def clear_old_messages() -> int:
    """Delete what was finished long ago."""
    finished = OutgoingMessage.objects.exclude(finished_at=None)
    return finished.exclude(finished_at__range=around(timedelta(days=settings.MESSAGES_KEPT_DAYS))).delete()[0]


def message_counts() -> dict[str, Any]:
    """For the operator: how many wait, how many of those have failed before, how many were never delivered."""
    rows = OutgoingMessage.objects.aggregate(
        waiting=Count("pk", filter=Q(finished_at=None)),
        late=Count("pk", filter=Q(finished_at=None) & ~Q(last_error="")),
        undelivered=Count("pk", filter=Q(state__in=UNDELIVERED)),
        oldest=Min("created_at", filter=Q(finished_at=None)),
    )
    oldest = rows.pop("oldest")
    rows["oldest_seconds"] = round(max((timezone.now() - oldest).total_seconds(), 0)) if oldest else 0
    return rows


def tried_for(kind: str) -> timedelta:
    return TRIED_FOR_SOMEBODY_WHO_WAITS if kind == MessageKind.PASSWORD_RESET else TRIED_FOR


def _enqueue(message: OutgoingMessage) -> None:
    enqueue_on_commit("patients.tasks.send_message", str(message.pk))
