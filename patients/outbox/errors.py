"""Classification of delivery failures: a message for staff, and whether a retry may succeed."""

import smtplib
import socket
import ssl
from dataclasses import dataclass

from celery.exceptions import SoftTimeLimitExceeded
from django.utils.translation import gettext as _


class CannotSend(RuntimeError):
    """Raised by senders other than SMTP; the message is shown to users."""

    def __init__(self, words: str, *, is_final: bool = False) -> None:
        super().__init__(words)
        self.is_final = is_final


@dataclass(frozen=True)
class Failure:
    words: str
    is_final: bool = False
    # The server itself is unavailable, so other messages need not be tried now.
    is_outage: bool = False


def failure_of(error: Exception) -> Failure:
    """Return the failure for ``error``. A refusal (5xx) of the address or message is final; others are temporary.

    If the server rejects the installation itself (sign-in, sender), the operator has to fix that, and the message is
    not lost.
    """
    match error:
        case CannotSend():
            return Failure(str(error), is_final=error.is_final, is_outage=not error.is_final)
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()), (0, b""))
            return _refusal(_("address refused"), code, reply)
        case smtplib.SMTPDataError():
            return _refusal(_("message refused"), error.smtp_code, error.smtp_error)
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPSenderRefused():
            return Failure(
                _("the mail server does not accept this installation's mail (%(code)s); tell the operator")
                % {"code": error.smtp_code},
                is_outage=True,
            )
        case smtplib.SMTPNotSupportedError() | UnicodeError() | ValueError():
            return Failure(_("address refused: this mail server cannot send to it"), is_final=True)
        case TimeoutError() | SoftTimeLimitExceeded() | socket.timeout():
            return Failure(_("the mail server did not answer in time"), is_outage=True)
        case smtplib.SMTPException() | ssl.SSLError() | OSError():
            return Failure(_("the mail server could not be reached, or closed the connection"), is_outage=True)
    return Failure(_("a software error; the operator can find it in the log"))


def _refusal(words: str, code: int, reply: bytes | str) -> Failure:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    is_final = 500 <= code < 600
    if not is_final:
        words = _("the mail server does not accept it at the moment")
    return Failure(f"{words} ({code} {text})"[:300] if text else f"{words} ({code})", is_final=is_final)
