"""What is mailed about an account. A link that opens it is made when the mail is sent, and kept nowhere."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from patients.models import Clinic, MessageKind, OutgoingMessage, User
from patients.outbox import Letter, writes

from .links import set_password_path

# Stands in a mail that was written beforehand where the link is to be.
LINK_TO_COME = "[[password-link]]"


@writes(MessageKind.INVITATION)
def invitation_letter(message: OutgoingMessage) -> Letter | None:
    """The link with which a member or patient chooses a password."""
    user = message.user
    clinic = clinic_of(user) if user else None
    if user is None or clinic is None or not is_still_theirs(message):
        return None
    context = {
        "clinic": clinic,
        "user": user,
        "address": message.site + set_password_path(user),
        "site": message.site,
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    subject = _("Your DermaScan account at %(clinic)s") % {"clinic": clinic.name}
    return Letter(user.email, subject, render_to_string("patients/mail/set_password.txt", context))


@writes(MessageKind.PASSWORD_RESET, MessageKind.ACCOUNT)
def account_letter(message: OutgoingMessage) -> Letter | None:
    """What django-allauth has written, with the link that was left out of it."""
    body = message.body
    if message.user is not None:
        if not is_still_theirs(message):
            return None
        body = body.replace(LINK_TO_COME, message.site + set_password_path(message.user))
    return Letter(message.address, message.subject, body)


def is_still_theirs(message: OutgoingMessage) -> bool:
    """Whether the account is open and still has the address that the message was meant for."""
    user = message.user
    return user is not None and user.is_active and user.email.lower() == message.address.lower()


def clinic_of(user: User) -> Clinic | None:
    """The clinic where the user is a member or a patient."""
    place = getattr(user, "member", None) or getattr(user, "patient", None)
    return place.clinic if place else None
