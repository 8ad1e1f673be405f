"""What the operator is mailed when somebody writes by the contact form."""

from django.conf import settings

from dermascan.models import ContactMessage
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import Letter, writes


@writes(MessageKind.CONTACT)
def contact_letter(message: OutgoingMessage) -> Letter | None:
    written = ContactMessage.objects.filter(pk=message.about_key).first()
    if written is None:
        return None
    message.address = settings.OPERATOR_EMAIL  # as it is set now
    heading = f"{written.name} <{written.email}> wrote on {written.created_at:%d %B %Y, %H:%M %Z}:"
    return Letter(
        message.address,
        subject=f"{settings.SITE_NAME}: message from {written.name}",
        body=f"{heading}\n\n{written.message}\n",
        reply_to=(written.email,),
    )
