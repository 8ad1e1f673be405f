"""Closing a patient's account."""

import logging

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from patients.edits import change_record
from patients.models import AccountClosure, ClosureReason, Member, Patient, User
from patients.outbox import cancel_messages
from patients.services.same_clinic import ensure_same_clinic

log = logging.getLogger(__name__)


class NoAccount(Refused):
    code = "no_account"

    def __init__(self) -> None:
        super().__init__(_("This patient has no account. A colleague may just have closed it."))


def close_patient_account(
    *, patient: Patient, by: Member, reason: str, note: str = "", user: User | None = None
) -> AccountClosure:
    """Unlink the account from the patient and deactivate it permanently; the patient can be given a new account.

    Its sessions end, its links and password stop working, and waiting e-mails are cancelled. Its address is removed,
    so that nothing is ever sent there again. An account that also belongs to a member or operator is only unlinked.

    Args:
        user: the account that ``by`` saw on the page; None closes the current one.

    Raises:
        AnotherClinic: ``by`` belongs to another clinic.
        NoAccount: there is no account, or it is not ``user``.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        patient = Patient.objects.select_for_update(of=("self",)).get(pk=patient.pk)
        if patient.user_id is None or (user is not None and user.pk != patient.user_id):
            raise NoAccount
        account = User.objects.select_for_update().get(pk=patient.user_id)
        closure = AccountClosure.objects.create(
            patient=patient,
            user=account,
            address=account.email,
            reason=ClosureReason(reason),
            note=" ".join(note.split())[:500],
            closed_by=by,
        )
        change_record(patient, {"user": None}, by=by.user, reason=f"{closure} {closure.note}")
        patient.save(update_fields=["user", "changed_by", "changed_at"])
        cancel_messages(user=account)
        if not (account.is_superuser or Member.objects.filter(user=account).exists()):
            _deactivate(account)
    log.info("The account of patient %s was closed by member %s: %s.", patient.pk, by.pk, closure.reason)
    return closure


def _deactivate(account: User) -> None:
    account.is_active = False
    account.email = ""
    # A different unusable password each time, which invalidates links that were sent before.
    account.set_unusable_password()
    account.save(update_fields=["is_active", "email", "password"])
    EmailAddress.objects.filter(user=account).delete()
    Authenticator.objects.filter(user=account).delete()
