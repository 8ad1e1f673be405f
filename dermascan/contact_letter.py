"""The e-mail to the operator about a message from the contact form."""

from django.conf import settings

from dermascan.models import ContactMessage
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import Letter, writes


@writes(MessageKind.CONTACT)
def contact_letter(message: OutgoingMessage) -> Letter | None:
    contact = ContactMessage.objects.filter(pk=message.about_key).first()
    if contact is None:
        return None
    message.address = settings.OPERATOR_EMAIL  # which may have changed since the message was queued
    heading = f"{contact.name} <{contact.email}> wrote on {contact.created_at:%d %B %Y, %H:%M %Z}:"
    return Letter(
        message.address,
        subject=f"{settings.SITE_NAME}: message from {contact.name}",
        body=f"{heading}\n\n{contact.message}\n",
        reply_to=(contact.email,),
    )
