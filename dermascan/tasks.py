"""The site's work that can wait."""

from datetime import timedelta
from smtplib import SMTPException
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from dermascan.models import ContactMessage
from patients.mail import TRY_AGAIN
from patients.models import Submission


@shared_task(**TRY_AGAIN)
def mail_contact_message(message_id: str) -> None:
    """Mail one kept message to the operator, once."""
    message = ContactMessage.objects.filter(pk=UUID(message_id), mailed_at=None).first()
    if message is None:
        return
    try:
        _mail_for_operator(message).send()
    except (SMTPException, OSError) as error:
        ContactMessage.objects.filter(pk=message.pk).update(mail_error=f"{type(error).__name__}: {error}"[:500])
        raise
    ContactMessage.objects.filter(pk=message.pk).update(mailed_at=timezone.now(), mail_error="")


@shared_task
def delete_old_submissions() -> None:
    """Delete the results of forms and requests that nobody sends again any more."""
    oldest = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_KEYS_LAST_HOURS)
    Submission.objects.filter(created_at__lt=oldest).delete()


def _mail_for_operator(message: ContactMessage) -> EmailMessage:
    written = f"{message.name} <{message.email}> wrote on {message.created_at:%d %B %Y, %H:%M %Z}:"
    return EmailMessage(
        subject=f"{settings.SITE_NAME}: message from {message.name}",
        body=f"{written}\n\n{message.message}\n",
        to=[settings.OPERATOR_EMAIL],
        reply_to=[message.email],
    )
