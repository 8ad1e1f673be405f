"""E-mails about accounts. A link that opens an account is created when the e-mail is sent and never stored."""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from dermascan.core.durations import in_words
from dermascan.core.site import site_link
from patients.models import Clinic, MessageKind, OutgoingMessage, User
from patients.outbox import Letter, writes
from patients.services.password_links import set_password_path

# Placeholder for the link in an e-mail that was written in advance.
LINK_TO_COME = "[[password-link]]"


@writes(MessageKind.INVITATION)
def invitation_letter(message: OutgoingMessage) -> Letter | None:
    """Return the e-mail with the link with which a member or patient chooses a password."""
    user = message.user
    clinic = clinic_of(user) if user else None
    if user is None or clinic is None or not is_still_theirs(message):
        return None
    params = {"clinic": clinic.name, "site_name": settings.SITE_NAME}
    if user.has_usable_password():
        subject = _("A new password for your %(site_name)s account at %(clinic)s") % params
    else:
        subject = _("Your %(site_name)s account at %(clinic)s") % params
    context = letter_context(user=user, clinic=clinic, address=site_link(set_password_path(user)))
    return Letter(user.email, subject, render_to_string("patients/mail/set_password.txt", context))


@writes(MessageKind.PASSWORD_RESET, MessageKind.ACCOUNT)
def account_letter(message: OutgoingMessage) -> Letter | None:
    """Return the e-mail that django-allauth wrote, with the link inserted."""
    body = message.body
    if message.user is not None:
        if not is_still_theirs(message):
            return None
        body = body.replace(LINK_TO_COME, site_link(set_password_path(message.user)))
    return Letter(message.address, message.subject, body)


def letter_context(**more: Any) -> dict[str, Any]:
    """Return the template context of account e-mails; nothing in it comes from the request."""
    return {
        "site_name": settings.SITE_NAME,
        "sign_in_address": site_link(reverse("account_login")),
        "link_lasts": in_words(settings.PASSWORD_RESET_TIMEOUT),
        **more,
    }


def is_still_theirs(message: OutgoingMessage) -> bool:
    """Return whether the account is active and still has the address that the message was meant for."""
    user = message.user
    return user is not None and user.is_active and user.email.lower() == message.address.lower()


def clinic_of(user: User) -> Clinic | None:
    """Return the clinic in which the user is a member or a patient, if any."""
    owner = getattr(user, "member", None) or getattr(user, "patient", None)
    return owner.clinic if owner else None
