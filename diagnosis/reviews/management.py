"""What dermatologists decide to do with a lesion. Plans are derived from it by receivers of the signals."""

from django.db import transaction
from django.dispatch import Signal

from diagnosis.reviews.errors import MonthsMissing
from diagnosis.reviews.models import Management, ManagementDecision, ReviewGroup
from diagnosis.reviews.models.lesion_review import LATEST_MONTHS, SOONEST_MONTHS
from patients.models import Lesion, Member
from patients.services.same_clinic import ensure_dermatologist_of

# Sent inside the transaction, with ``decision``, a ManagementDecision: when it was made, and when the reviews that it
# was made with have been withdrawn.
management_decided, management_withdrawn = Signal(), Signal()


def record_management_decision(
    *, lesion: Lesion, member: Member, decision: str, months: int | None = None, group: ReviewGroup | None = None
) -> ManagementDecision:
    """Record what is to be done with ``lesion``. A change of mind is another decision; the newest counts.

    Args:
        months: for a follow-up, in how many months; ignored otherwise.
        group: the review of the lesion that the decision is made with.

    Raises:
        PermissionDenied: the member is not a dermatologist of the patient's clinic.
        MonthsMissing: a follow-up without months, or not within 1 to 60 of them.
    """
    ensure_dermatologist_of(lesion.patient, member)
    if decision != Management.FOLLOW:
        months = None
    elif months is None or not SOONEST_MONTHS <= months <= LATEST_MONTHS:
        raise MonthsMissing
    with transaction.atomic():
        Lesion.objects.select_for_update().get(pk=lesion.pk)
        row = ManagementDecision.objects.create(
            lesion=lesion, group=group, decision=decision, months=months, member=member
        )
        management_decided.send(sender=ManagementDecision, decision=row)
    return row


def newest_decision(lesion: Lesion) -> ManagementDecision | None:
    """Return the decision that counts for a lesion; None if there is none."""
    return ManagementDecision.objects.standing().filter(lesion=lesion).select_related("member__user").first()
