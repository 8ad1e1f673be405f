"""How it stands with a patient's account: the one place that the patient's page and the account's page ask."""

from dataclasses import dataclass

from patients.models import AccountClosure, ClosureReason, MessageKind, MessageState, OutgoingMessage, Patient, User


@dataclass(frozen=True)
class AccountState:
    user: User | None
    # The newest link that was mailed or is to be: to choose the first password, or one that was forgotten.
    link: OutgoingMessage | None
    # The newest, and all of them.
    closure: AccountClosure | None
    closures: list[AccountClosure]

    @property
    def shown_link(self) -> OutgoingMessage | None:
        """The link, until its owner has signed in since."""
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
    """Whether an account of the patient was closed because its mail went there by mistake."""
    wrong = patient.account_closures.filter(reason=ClosureReason.WRONG_ADDRESS)
    return bool(address) and wrong.filter(address__iexact=address).exists()


def link_to(user: User) -> OutgoingMessage | None:
    """The newest link to choose a password that was mailed to ``user``, or is to be, whoever asked for it."""
    links = OutgoingMessage.objects.filter(user=user, kind__in=(MessageKind.INVITATION, MessageKind.PASSWORD_RESET))
    return links.first()
