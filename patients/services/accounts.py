from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext as _

from patients.edits import ensure_nothing_is_lost
from patients.models import Clinic, Member, MessageKind, OutgoingMessage, Patient, User
from patients.names import clean_line
from patients.outbox import cancel_messages, queue_message
from patients.services.account_state import is_known_to_be_wrong
from patients.services.same_clinic import ensure_same_clinic


class AccountRefused(ValueError):
    """The account cannot be made as asked; ``field`` names what to change."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def give_patient_account(
    *,
    patient: Patient,
    by: Member,
    email: str,
    username: str = "",
    is_right: bool = False,
    made_from: str | None = None,
) -> User:
    """Make the account with which ``patient`` reads what is released to them, and mail a link to choose a password.

    Without a ``username`` one is made of the patient's name. A patient who has an account already keeps it and is
    mailed a new link; the address may still be corrected while no password was chosen: nothing more goes to the one
    before, whose link is dead.

    Args:
        is_right: the address is the patient's, although an account was closed because it was taken for wrong.
        made_from: the token of the form; see ``patients.edits``.

    Raises ``AccountRefused``, ``ChangedMeanwhile``.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        patient = Patient.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=patient.pk)
        is_new_address = patient.user is None or patient.user.email.lower() != email.lower()
        if is_new_address and not is_right and is_known_to_be_wrong(email, patient=patient):
            raise AccountRefused(
                _("Mail to this patient went to this address by mistake before. Enter another one, or confirm it."),
                field="email",
            )
        if patient.user is None:
            user = make_user(
                clinic=patient.clinic,
                username=username or _free_username(patient),
                email=email,
                first_name=patient.given_name,
                last_name=patient.family_name,
            )
            patient.user = user
            patient.save(update_fields=["user"])
        elif may_correct_address(patient.user) and patient.user.email != email:
            ensure_nothing_is_lost(patient.user, {"email": email}, made_from)
            ensure_address_is_free(email, clinic=patient.clinic, account=patient.user)
            patient.user.email = email
            if not patient.user.has_usable_password():
                # Another unusable password each time: links that were mailed name the old one.
                patient.user.set_unusable_password()
            patient.user.save(update_fields=["email", "password"])
        account = patient.user
        assert account is not None
        mail_set_password_link(user=account)
    return account


def may_correct_address(account: User) -> bool:
    """Whether staff may change where the account is mailed: until somebody has chosen a password by that mail."""
    return not account.email or not account.has_usable_password()


def take_off_address(*, patient: Patient, address: str) -> None:
    """Take an address that was the patient's by mistake off their account, unless somebody chose a password by it.

    Nothing more is mailed there, and the link that was is dead; staff mail a new one to the right address.
    """
    account = User.objects.select_for_update(of=("self",)).filter(patient=patient).first()
    if account is None or account.has_usable_password() or not address or account.email.lower() != address.lower():
        return
    cancel_messages(user=account)
    account.email = ""
    # Another unusable password each time: links that were mailed name the old one.
    account.set_unusable_password()
    account.save(update_fields=["email", "password"])


def make_user(
    *, clinic: Clinic, username: str, email: str, first_name: str, last_name: str, is_staff: bool = False
) -> User:
    """Make a user who has no password yet. Raises ``AccountRefused`` if user name or address is taken."""
    ensure_address_is_free(email, clinic=clinic)
    ensure_username_is_free(username)
    user = User(
        username=username,
        email=email,
        first_name=clean_line(first_name),
        last_name=clean_line(last_name),
        is_staff=is_staff,
    )
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise AccountRefused(_("This user name is taken. Choose another one."), field="username") from None
    return user


def ensure_address_is_free(email: str, *, clinic: Clinic, account: User | None = None) -> None:
    """Raise ``AccountRefused`` if somebody of the clinic other than ``account`` signs in with ``email``.

    Only the own clinic is asked: who is known to another clinic must not show.
    """
    people = User.objects.filter(Q(member__clinic=clinic) | Q(patient__clinic=clinic))
    holders = people.filter(email__iexact=email) if email else people.none()
    if any(holder != account for holder in holders):
        raise AccountRefused(_("Another account of this clinic uses this e-mail address."), field="email")


def ensure_username_is_free(username: str) -> None:
    """Raise ``AccountRefused`` if somebody, in whatever clinic, signs in as ``username``."""
    if User.objects.filter(username__iexact=username).exists():
        raise AccountRefused(_("This user name is taken. Choose another one."), field="username")


def mail_set_password_link(*, user: User) -> OutgoingMessage:
    """Have ``user`` mailed a link with which a password can be chosen, once; it takes the place of one that waits."""
    with transaction.atomic():
        cancel_messages(user=user, kind=MessageKind.INVITATION)
        return queue_message(MessageKind.INVITATION, user=user, address=user.email)


def _free_username(patient: Patient) -> str:
    """Make a user name of the patient's name, with a number if somebody has it."""
    parts = [slugify(patient.given_name), slugify(patient.family_name)]
    base = ".".join(part for part in parts if part)[:100] or "patient"
    taken = {
        name.lower() for name in User.objects.filter(username__istartswith=base).values_list("username", flat=True)
    }
    candidates = [base, *(f"{base}{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in candidates if name not in taken)
