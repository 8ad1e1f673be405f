"""The text of messages: each kind has a registered writer, which is called when the message is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from patients.models import MessageKind, OutgoingMessage

# E-mail backends that store or drop messages instead of sending them; pages must not call these “sent”.
_LOCAL_BACKENDS = ("filebased", "console", "dummy")


class Sendable(Protocol):
    def send(self, *, key: UUID) -> str:
        """Send it and return a remark to show with “sent”, usually "". Blocks on the network: not in a transaction."""


@dataclass(frozen=True)
class Letter:
    """One e-mail to one address."""

    address: str
    subject: str
    body: str
    reply_to: tuple[str, ...] = ()

    def send(self, *, key: UUID) -> str:
        """Send the e-mail from the site's own address.

        The message ID is the row's key, so that mail programs show one copy if a worker is killed before it can record
        success and the message is sent twice.
        """
        EmailMessage(
            # Subjects contain the clinic's name, which must not be able to add header lines.
            subject=" ".join(self.subject.split()),
            body=self.body,
            to=[self.address],
            reply_to=self.reply_to,
            headers={"Message-ID": f"<{key}@{urlsplit(settings.SITE_URL).hostname}>"},
        ).send()
        if is_kept_here():
            return _("no mail server is set up, so it was only stored on this computer; tell the operator")
        return ""


def is_kept_here() -> bool:
    """Return whether e-mails stay on this machine because no mail server is configured."""
    return settings.EMAIL_BACKEND.split(".")[-2] in _LOCAL_BACKENDS


Writer = Callable[[OutgoingMessage], Sendable | None]
_WRITERS: dict[str, Writer] = {}


def writes(*kinds: MessageKind) -> Callable[[Writer], Writer]:
    """Register the writer of messages of these kinds. It returns None if the message is no longer needed."""

    def register(writer: Writer) -> Writer:
        _WRITERS.update(dict.fromkeys(kinds, writer))
        return writer

    return register


def write(message: OutgoingMessage) -> Sendable | None:
    """Return the message's text from current data, or None if it should no longer be sent."""
    return _WRITERS[message.kind](message)
