"""Taking an account away: from a patient, and the access of whoever is deactivated."""

import logging

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext as _

from patients.models import AccountClosure, ClosureReason, Member, Patient, User
from patients.outbox import cancel_messages
from patients.services.same_clinic import ensure_same_clinic

log = logging.getLogger(__name__)


class NoAccount(ValueError):
    def __init__(self) -> None:
        super().__init__(_("This patient has no account; somebody may just have closed it."))


def close_patient_account(
    *, patient: Patient, by: Member, reason: str, note: str = "", user: User | None = None
) -> AccountClosure:
    """Unlink the account from the patient and shut it, at once and for good; the patient may be given another.

    Its sessions end, its links and its password no longer work, and what was to be mailed to it is not sent. The
    address is taken off it, so that nothing is ever mailed there again. Where the account is a member's or an
    operator's too, it is only unlinked.

    Args:
        user: the account that ``by`` has seen; None closes whichever there is.

    Raises:
        AnotherClinic: ``by`` is of another clinic.
        NoAccount: there is none, or another than was seen.
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
        patient.user = None
        patient.save(update_fields=["user"])
        cancel_messages(user=account)
        if not (account.is_superuser or Member.objects.filter(user=account).exists()):
            _shut(account)
    log.info("The account of patient %s was closed by member %s: %s.", patient.pk, by.pk, closure.reason)
    return closure


def _shut(account: User) -> None:
    account.is_active = False
    account.email = ""
    # Another unusable password each time: links that were mailed name the old one.
    account.set_unusable_password()
    account.save(update_fields=["is_active", "email", "password"])
    EmailAddress.objects.filter(user=account).delete()
    Authenticator.objects.filter(user=account).delete()
