"""The state of a patient's account, as shown on the patient's page and the account page."""

from dataclasses import dataclass

from patients.models import AccountClosure, ClosureReason, MessageKind, MessageState, OutgoingMessage, Patient, User


@dataclass(frozen=True)
class AccountState:
    user: User | None
    # The newest link sent or waiting to be sent, for the first password or a forgotten one.
    link: OutgoingMessage | None
    # The newest closure, and all closures.
    closure: AccountClosure | None
    closures: list[AccountClosure]

    @property
    def shown_link(self) -> OutgoingMessage | None:
        """The link, or None once the patient has signed in after it was sent."""
        if self.user is None or self.link is None or self.link.state == MessageState.CANCELLED:
            return None
        last = self.user.last_login
        return self.link if last is None or self.link.is_unfinished or last < self.link.created_at else None


def account_state(patient: Patient) -> AccountState:
    user = patient.user
    closures = list(patient.account_closures.select_related("closed_by__user", "user"))
    return AccountState(
        user=user,
        link=link_to(user) if user else None,
        closure=closures[0] if closures else None,
        closures=closures,
    )


def is_known_to_be_wrong(address: str, *, patient: Patient) -> bool:
    """Return whether an account of the patient was closed because this address was wrong."""
    wrong = patient.account_closures.filter(reason=ClosureReason.WRONG_ADDRESS)
    return bool(address) and wrong.filter(address__iexact=address).exists()


def link_to(user: User) -> OutgoingMessage | None:
    """Return the newest password link for ``user``, sent or waiting to be sent, whether they or a colleague asked."""
    links = OutgoingMessage.objects.filter(user=user, kind__in=(MessageKind.INVITATION, MessageKind.PASSWORD_RESET))
    return links.first()
