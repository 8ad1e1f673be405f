"""Delivery status of messages, as text for pages and the admin."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.models import MessageKind, MessageState, OutgoingMessage
from patients.privacy import shown_contact


def state_in_words(message: OutgoingMessage) -> str:
    """Return the delivery status for staff, such as “sent to a@example.com on 3 May 2026, 10:02”."""
    recipient = _("the webhook") if message.kind == MessageKind.INCIDENT_CALL else message.address or "–"
    params = {
        "address": shown_contact(recipient),
        # A mail server's error often repeats the address.
        "error": shown_contact(message.last_error.rstrip(". ")),
        "count": message.attempts,
    }
    if message.state == MessageState.SENT and message.last_error:
        return _("written to %(address)s on %(when)s, but not sent: %(error)s") % {
            **params,
            "when": _moment(message.finished_at),
        }
    if message.state == MessageState.SENT:
        return _("sent to %(address)s on %(when)s") % {**params, "when": _moment(message.finished_at)}
    if message.state == MessageState.REFUSED:
        return _("could not be delivered to %(address)s: %(error)s") % params
    if message.state == MessageState.GIVEN_UP:
        text = ngettext(
            "given up after %(count)d attempt to reach %(address)s: %(error)s",
            "given up after %(count)d attempts to reach %(address)s: %(error)s",
            message.attempts,
        )
        return text % params
    if message.state == MessageState.CANCELLED:
        return _("not sent: no longer needed")
    if message.last_error:
        text = ngettext(
            "waiting to be sent to %(address)s; tried %(count)d time so far, next %(when)s: %(error)s",
            "waiting to be sent to %(address)s; tried %(count)d times so far, next %(when)s: %(error)s",
            message.attempts,
        )
        return text % {**params, "when": _next_attempt(message)}
    return _("waiting to be sent to %(address)s") % params


def _next_attempt(message: OutgoingMessage) -> str:
    if message.next_attempt_at <= timezone.now():
        return _("shortly")
    return _("at %(when)s") % {"when": _moment(message.next_attempt_at)}


def _moment(when: object) -> str:
    return date_format(timezone.localtime(when), "j F Y, H:i") if when else "–"  # type: ignore[arg-type]
