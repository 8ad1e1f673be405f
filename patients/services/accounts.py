from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from patients.edits import change_record, ensure_nothing_is_lost
from patients.models import Clinic, Member, MessageKind, OutgoingMessage, Patient, User
from patients.names import clean_line
from patients.outbox import cancel_messages, queue_message
from patients.services.account_state import is_known_to_be_wrong
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic


class AccountRefused(Refused):
    """The account cannot be created or changed as requested; ``field`` names the value to correct."""

    code = "account_refused"

    def __init__(self, message: str, *, field: str, code: str = "") -> None:
        super().__init__(message, code=code)
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
    """Create the account with which ``patient`` reads released reports, and e-mail a link to choose a password.

    If ``username`` is empty, one is derived from the patient's name. A patient who already has an account keeps it and
    is sent a new link. Until a password has been chosen the address can still be corrected: the old address gets
    nothing more, and its link stops working.

    Args:
        is_right: the address is confirmed as the patient's, although an account was closed because it was wrong.
        made_from: the form's token; see ``patients.edits``.

    Raises ``AccountRefused``, ``ChangedMeanwhile``.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        patient = lock_patient(patient)
        is_new_address = patient.user is None or patient.user.email.lower() != email.lower()
        if is_new_address and not is_right and is_known_to_be_wrong(email, patient=patient):
            raise AccountRefused(
                _("This address was recorded as wrong for this patient before. Enter another one, or confirm it."),
                field="email",
                code="address_known_wrong",
            )
        if patient.user is None:
            user = make_user(
                clinic=patient.clinic,
                username=username or _free_username(patient),
                email=email,
                first_name=patient.given_name,
                last_name=patient.family_name,
            )
            change_record(patient, {"user": user}, by=by.user)
            patient.save(update_fields=["user", "changed_by", "changed_at"])
        elif may_correct_address(patient.user) and patient.user.email != email:
            ensure_nothing_is_lost(patient.user, {"email": email}, made_from)
            ensure_address_is_free(email, clinic=patient.clinic, account=patient.user)
            patient.user.email = email
            if not patient.user.has_usable_password():
                # A different unusable password each time, which invalidates links that were sent before.
                patient.user.set_unusable_password()
            patient.user.save(update_fields=["email", "password"])
        account = patient.user
        assert account is not None
        mail_set_password_link(user=account)
    return account


def may_correct_address(account: User) -> bool:
    """Return whether staff may change the account's address: only until a password has been chosen with its link."""
    return not account.email or not account.has_usable_password()


def remove_address(*, patient: Patient, address: str) -> None:
    """Remove a wrong address from the patient's account, unless a password has been chosen already.

    The address gets nothing more and its link stops working; staff send a new link to the right address.
    """
    account = User.objects.select_for_update(of=("self",)).filter(patient=patient).first()
    if account is None or account.has_usable_password() or not address or account.email.lower() != address.lower():
        return
    cancel_messages(user=account)
    account.email = ""
    # A different unusable password each time, which invalidates links that were sent before.
    account.set_unusable_password()
    account.save(update_fields=["email", "password"])


def make_user(
    *, clinic: Clinic, username: str, email: str, first_name: str, last_name: str, is_staff: bool = False
) -> User:
    """Create a user who has no password yet. Raises ``AccountRefused`` if the user name or address is taken."""
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
    """Raise ``AccountRefused`` if an account of the clinic other than ``account`` uses ``email``.

    Only this clinic is checked, so as not to reveal who has an account at another one.
    """
    people = User.objects.filter(Q(member__clinic=clinic) | Q(patient__clinic=clinic))
    holders = people.filter(email__iexact=email) if email else people.none()
    if any(holder != account for holder in holders):
        raise AccountRefused(
            _("Another account of this clinic uses this e-mail address."), field="email", code="address_in_use"
        )


def ensure_username_is_free(username: str) -> None:
    """Raise ``AccountRefused`` if ``username`` is taken in any clinic."""
    if User.objects.filter(username__iexact=username).exists():
        raise AccountRefused(_("This user name is taken. Choose another one."), field="username")


def mail_set_password_link(*, user: User) -> OutgoingMessage:
    """Queue an e-mail with a single-use link to choose a password; it replaces one that is still waiting."""
    with transaction.atomic():
        cancel_messages(user=user, kind=MessageKind.INVITATION)
        return queue_message(MessageKind.INVITATION, user=user, address=user.email)


def _free_username(patient: Patient) -> str:
    """Return a free user name derived from the patient's name, with a number if necessary."""
    parts = [slugify(patient.given_name), slugify(patient.family_name)]
    base = ".".join(part for part in parts if part)[:100] or "patient"
    taken = {
        name.lower() for name in User.objects.filter(username__istartswith=base).values_list("username", flat=True)
    }
    candidates = [base, *(f"{base}{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in candidates if name not in taken)
