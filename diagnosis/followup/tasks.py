"""Background tasks of follow-up. Each is safe to run twice."""

from celery import shared_task

from diagnosis.followup.reminders import queue_reminders


@shared_task
def send_reminders() -> None:
    """Queue the e-mails to patients whose appointment is due."""
    queue_reminders()
