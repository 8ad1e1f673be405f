"""What a message says: each kind has a writer, which is asked when the message is sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.core.mail import EmailMessage
from django.core.mail.utils import DNS_NAME

from patients.models import MessageKind, OutgoingMessage


class Sendable(Protocol):
    def send(self, *, key: UUID) -> None:
        """Send it. Waits for the network: not inside a transaction."""


@dataclass(frozen=True)
class Letter:
    """One e-mail to one address."""

    address: str
    subject: str
    body: str
    reply_to: tuple[str, ...] = ()

    def send(self, *, key: UUID) -> None:
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
            headers={"Message-ID": f"<{key}@{DNS_NAME}>"},
        ).send()


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
