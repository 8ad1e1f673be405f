"""What a message says: each kind has a writer, which is asked when the message is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from patients.models import MessageKind, OutgoingMessage

# These keep or drop a mail instead of sending it: the page that says “sent” must not hide that.
_MAILS_NOTHING = ("filebased", "console", "dummy")


class Sendable(Protocol):
    def send(self, *, key: UUID) -> str:
        """Send it, and return what must be said beside “sent”, mostly "". Waits for the network: in no transaction."""


@dataclass(frozen=True)
class Letter:
    """One e-mail to one address."""

    address: str
    subject: str
    body: str
    reply_to: tuple[str, ...] = ()

    def send(self, *, key: UUID) -> str:
        """Send it from the site's own address.

        The identifier is the row's, so that a mail program shows once what a worker that was killed just before it
        could write down its success has sent twice.
        """
        EmailMessage(
            # A clinic's name stands in subjects and must not be able to add header lines.
            subject=" ".join(self.subject.split()),
            body=self.body,
            to=[self.address],
            reply_to=self.reply_to,
            headers={"Message-ID": f"<{key}@{urlsplit(settings.SITE_URL).hostname}>"},
        ).send()
        if is_kept_here():
            return _("no mail server is set up, so it was only kept on this computer; tell the operator")
        return ""


def is_kept_here() -> bool:
    """Whether mails stay on this machine, because no mail server is set."""
    return settings.EMAIL_BACKEND.split(".")[-2] in _MAILS_NOTHING


Writer = Callable[[OutgoingMessage], Sendable | None]
_WRITERS: dict[str, Writer] = {}


def writes(*kinds: MessageKind) -> Callable[[Writer], Writer]:
    """Register who writes messages of these kinds. None means that the message is no longer wanted."""

    def register(writer: Writer) -> Writer:
        _WRITERS.update(dict.fromkeys(kinds, writer))
        return writer

    return register


def write(message: OutgoingMessage) -> Sendable | None:
    """Write the message as things are now; None if nobody should be told any more."""
    return _WRITERS[message.kind](message)
