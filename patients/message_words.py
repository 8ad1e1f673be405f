"""How far a message has come, in the words of pages, lists and the administration."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.models import MessageKind, MessageState, OutgoingMessage


def state_in_words(message: OutgoingMessage) -> str:
    """For staff: “sent on 3 May 2026, 10:02”, “could not be delivered: address refused (550 No such user)”."""
    whom = _("the webhook") if message.kind == MessageKind.INCIDENT_CALL else message.address or "–"
    figures = {"address": whom, "error": message.last_error.rstrip(". "), "count": message.attempts}
    if message.state == MessageState.SENT and message.last_error:
        return _("written to %(address)s on %(when)s, but not sent: %(error)s") % {
            **figures,
            "when": _moment(message.finished_at),
        }
    if message.state == MessageState.SENT:
        return _("sent to %(address)s on %(when)s") % {**figures, "when": _moment(message.finished_at)}
    if message.state == MessageState.REFUSED:
        return _("could not be delivered to %(address)s: %(error)s") % figures
    if message.state == MessageState.GIVEN_UP:
        words = ngettext(
            "given up after %(count)d attempt to reach %(address)s: %(error)s",
            "given up after %(count)d attempts to reach %(address)s: %(error)s",
            message.attempts,
        )
        return words % figures
    if message.state == MessageState.CANCELLED:
        return _("not sent: no longer needed")
    if message.last_error:
        words = ngettext(
            "waiting to be sent to %(address)s; tried %(count)d time so far, next %(when)s: %(error)s",
            "waiting to be sent to %(address)s; tried %(count)d times so far, next %(when)s: %(error)s",
            message.attempts,
        )
        return words % {**figures, "when": _next_attempt(message)}
    return _("waiting to be sent to %(address)s") % figures


def _next_attempt(message: OutgoingMessage) -> str:
    if message.next_attempt_at <= timezone.now():
        return _("shortly")
    return _("at %(when)s") % {"when": _moment(message.next_attempt_at)}


def _moment(when: object) -> str:
    return date_format(timezone.localtime(when), "j F Y, H:i") if when else "–"  # type: ignore[arg-type]
