"""Background tasks for messages. Each task is safe to run twice."""

from uuid import UUID

from celery import shared_task

from patients.outbox import clear_old_messages, deliver, deliver_due


@shared_task
def send_message(message_id: str) -> None:
    """Send one message. Does nothing if it was sent already or another worker is sending it."""
    deliver(UUID(message_id))


@shared_task
def send_due_messages() -> None:
    """Send messages that were never handed to a worker, and retry failed ones."""
    deliver_due()


@shared_task
def clear_messages() -> None:
    """Delete old rows of finished messages."""
    clear_old_messages()
