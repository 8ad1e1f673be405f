"""Reliable delivery of messages: each has a row with its state, is sent by a worker and retried on a schedule."""

from patients.outbox.errors import CannotSend
from patients.outbox.letters import Letter, Sendable, is_kept_here, writes
from patients.outbox.queueing import (
    cancel_messages,
    clear_old_messages,
    keeps,
    message_counts,
    queue_message,
    send_again,
)
from patients.outbox.sending import deliver, deliver_due

__all__ = [
    "CannotSend",
    "Letter",
    "Sendable",
    "cancel_messages",
    "clear_old_messages",
    "deliver",
    "deliver_due",
    "is_kept_here",
    "keeps",
    "message_counts",
    "queue_message",
    "send_again",
    "writes",
]
