"""How it stands with a patient's account: the one place that the patient's page and the account's page ask."""

from dataclasses import dataclass

from patients.models import MessageKind, OutgoingMessage, Patient, User


@dataclass(frozen=True)
class AccountState:
    user: User | None
    invitation: OutgoingMessage | None


def account_state(patient: Patient) -> AccountState:
    user = patient.user
    return AccountState(user=user, invitation=invitation_to(user) if user else None)


def invitation_to(user: User) -> OutgoingMessage | None:
    """The newest link that was mailed to ``user``, or is to be."""
    return OutgoingMessage.objects.filter(user=user, kind=MessageKind.INVITATION).first()
