"""Work that can wait, for messages. Each task may be run twice."""

from uuid import UUID

from celery import shared_task

from patients.outbox import clear_old_messages, deliver, deliver_due


@shared_task
def send_message(message_id: str) -> None:
    """Send one message. Does nothing if it has gone, or somebody else has it."""
    deliver(UUID(message_id))


@shared_task
def send_due_messages() -> None:
    """Send what no worker was told of, and try again what failed."""
    deliver_due()


@shared_task
def clear_messages() -> None:
    """Delete rows of messages that were finished long ago."""
    clear_old_messages()
