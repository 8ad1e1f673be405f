"""How it stands with a patient's account: the one place that the patient's page and the account's page ask."""

from dataclasses import dataclass

from patients.models import AccountClosure, ClosureReason, MessageKind, OutgoingMessage, Patient, User


@dataclass(frozen=True)
class AccountState:
    user: User | None
    invitation: OutgoingMessage | None
    # The newest, and all of them.
    closure: AccountClosure | None
    closures: list[AccountClosure]


def account_state(patient: Patient) -> AccountState:
    user = patient.user
    closures = list(patient.account_closures.select_related("closed_by__user", "user"))
    return AccountState(
        user=user,
        invitation=invitation_to(user) if user else None,
        closure=closures[0] if closures else None,
        closures=closures,
    )


def is_known_to_be_wrong(address: str, *, patient: Patient) -> bool:
    """Whether an account of the patient was closed because its mail went there by mistake."""
    wrong = patient.account_closures.filter(reason=ClosureReason.WRONG_ADDRESS)
    return bool(address) and wrong.filter(address__iexact=address).exists()


def invitation_to(user: User) -> OutgoingMessage | None:
    """The newest link that was mailed to ``user``, or is to be."""
    return OutgoingMessage.objects.filter(user=user, kind=MessageKind.INVITATION).first()
