"""Messages that must arrive. Each has a row with its state, is sent by a worker, and tried again by the schedule."""

from .errors import CannotSend
from .letters import Letter, Sendable, is_kept_here, writes
from .queueing import cancel_messages, clear_old_messages, message_counts, queue_message, send_again
from .sending import deliver, deliver_due

__all__ = [
    "CannotSend",
    "Letter",
    "Sendable",
    "cancel_messages",
    "clear_old_messages",
    "deliver",
    "deliver_due",
    "is_kept_here",
    "message_counts",
    "queue_message",
    "send_again",
    "writes",
]
