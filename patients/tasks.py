"""Background tasks for messages. Each task is safe to run twice."""

import logging
from uuid import UUID

from celery import shared_task

from patients.audit.chain import seal_everything
from patients.audit.shipping import ship_entries
from patients.audit.spool import take_in_spool
from patients.outbox import clear_old_messages, deliver, deliver_due

logger = logging.getLogger(__name__)


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


@shared_task
def tend_audit() -> None:
    """Seal and take in what crashes and full disks left of the audit trail, then ship what is new."""
    seal_everything()
    take_in_spool()
    try:
        ship_entries()
    except OSError as error:
        logger.error("The audit trail could not be shipped, and will be later: %s", error)
