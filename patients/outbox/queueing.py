"""Queueing of messages in the caller's transaction, and cancelling, resending and clearing them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from dermascan.core.background import enqueue_on_commit
from dermascan.core.clock import around
from patients.models import MessageKind, MessageState, OutgoingMessage, Patient, User
from patients.models.message import UNDELIVERED, MessageQuerySet

# By kind: which of its messages are kept however old they are.
_KEPT: dict[str, Callable[[MessageQuerySet], MessageQuerySet]] = {}
TRIED_FOR = timedelta(days=4)
# A reset link that the user is waiting for is useless a day later.
RESET_TRIED_FOR = timedelta(hours=6)


def queue_message(
    kind: MessageKind,
    *,
    about: UUID | None = None,
    user: User | None = None,
    patient: Patient | None = None,
    address: str = "",
    subject: str = "",
    body: str = "",
) -> OutgoingMessage:
    """Store a message and have a worker send it once the current transaction commits.

    Nothing is lost if the task queue is unreachable, because a scheduled task picks up waiting rows.
    """
    message = OutgoingMessage.objects.create(
        kind=kind,
        about=about,
        user=user,
        patient=patient,
        address=address,
        subject=subject,
        body=body,
        give_up_at=timezone.now() + tried_for(kind),
    )
    _enqueue(message)
    return message


def send_again(message: OutgoingMessage) -> bool:
    """Queue an undelivered message again, due at once; return False if it is in another state by now."""
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
    """Cancel waiting messages and return their number. A message that is being sent cannot be stopped."""
    return OutgoingMessage.objects.filter(state=MessageState.WAITING, **which).update(
        state=MessageState.CANCELLED, finished_at=timezone.now(), subject="", body=""
    )


def clear_old_messages() -> int:
    """Delete old rows of finished messages and return the number of rows deleted; see ``keeps`` for the exceptions."""
    finished = OutgoingMessage.objects.exclude(finished_at=None)
    old = finished.exclude(finished_at__range=around(timedelta(days=settings.MESSAGES_KEPT_DAYS)))
    for kind, kept in _KEPT.items():
        old = old.exclude(pk__in=kept(OutgoingMessage.objects.filter(kind=kind)).order_by().values("pk"))
    return old.delete()[0]


def keeps(kind: MessageKind) -> Callable[..., Any]:
    """Register which messages of a kind somebody still has to act on, so that they outlast the others."""

    def register(kept: Callable[[MessageQuerySet], MessageQuerySet]) -> Any:
        _KEPT[kind] = kept
        return kept

    return register


def message_counts() -> dict[str, Any]:
    """Return counts for the operator: messages waiting, those of them that have failed before, and undelivered."""
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
    """Return how long sending a message of this kind is retried."""
    return RESET_TRIED_FOR if kind == MessageKind.PASSWORD_RESET else TRIED_FOR


def _enqueue(message: OutgoingMessage) -> None:
    enqueue_on_commit("patients.tasks.send_message", str(message.pk))
