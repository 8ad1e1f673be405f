"""Record that tissue was sent to a laboratory, and withdraw what was recorded by mistake."""

import datetime
import logging

from django.db import transaction
from django.utils import timezone

from dermascan.core.sentences import has_words
from diagnosis.outcomes.errors import (
    LesionIsClosed,
    OfAnotherPatient,
    OutcomeNeedsReason,
    SpecimenHasNumber,
    SpecimenHasResult,
    SpecimenIsWithdrawn,
    SpecimenNumberTaken,
)
from diagnosis.outcomes.locks import lock_lesion
from diagnosis.outcomes.models import Specimen, SpecimenKind
from diagnosis.outcomes.signals import specimen_recorded, specimen_withdrawn
from patients.models import Clinic, Lesion, Member, Visit
from patients.names import clean_line, clean_number, fold_number
from patients.services.same_clinic import ensure_same_clinic

log = logging.getLogger(__name__)


def record_specimen(
    *,
    lesion: Lesion,
    by: Member,
    kind: str,
    sent_on: datetime.date,
    sent_by: Member | None = None,
    number: str = "",
    laboratory: str = "",
    visit: Visit | None = None,
    made_from: str | None = None,
) -> Specimen:
    """Record that tissue of ``lesion`` was sent to a laboratory; its result is awaited from then on.

    Args:
        sent_by: who took and sent it, by default ``by``.
        number: empty if the laboratory has not given one yet.
        made_from: the token of the form; see ``LesionOutcome.token``.

    Raises:
        PermissionDenied: a member belongs to another clinic.
        LesionIsClosed, OfAnotherPatient, SpecimenNumberTaken, ChangedSince: see ``diagnosis.outcomes.errors``.
    """
    sent_by = sent_by or by
    ensure_same_clinic(lesion.patient, by, sent_by)
    with transaction.atomic():
        lesion, outcome = lock_lesion(lesion, made_from=made_from)
        # Under the lock, since lesions and visits may be moved to another patient.
        if visit is not None and not lesion.patient.visits.filter(pk=visit.pk).exists():
            raise OfAnotherPatient
        if outcome.closure:
            raise LesionIsClosed
        specimen = Specimen(
            clinic=lesion.patient.clinic,
            lesion=lesion,
            visit=visit,
            kind=SpecimenKind(kind),
            sent_on=sent_on,
            sent_by=sent_by,
            laboratory=clean_line(laboratory),
            recorded_by=by,
        )
        set_number(specimen, number)
        specimen.save(force_insert=True)
        specimen_recorded.send(sender=Specimen, specimen=specimen, by=by)
    log.info("Member %s recorded specimen %s of lesion %s.", by.pk, specimen.pk, lesion.pk)
    return specimen


def set_number(specimen: Specimen, number: str) -> bool:
    """Give a specimen its number, and return whether it had none. Call it in a transaction, then save.

    Raises:
        SpecimenNumberTaken, SpecimenHasNumber: see ``diagnosis.outcomes.errors``.
    """
    number = clean_number(number)
    key = fold_number(number)
    if not key or key == specimen.number_key:
        return False
    if specimen.number_key is not None:
        raise SpecimenHasNumber
    # The lock keeps a colleague from giving the number to another lesion's specimen at the same moment.
    Clinic.objects.select_for_update(no_key=True).get(pk=specimen.clinic_id)
    taken = Specimen.objects.standing().filter(clinic=specimen.clinic_id, number_key=key).exclude(pk=specimen.pk)
    if (other := taken.first()) is not None:
        raise SpecimenNumberTaken(other)
    specimen.number, specimen.number_key = number, key
    return True


def withdraw_specimen(*, specimen: Specimen, by: Member, reason: str, made_from: str | None = None) -> Specimen:
    """Withdraw a specimen that was recorded by mistake. It stays on record with the reason.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        OutcomeNeedsReason, SpecimenIsWithdrawn, SpecimenHasResult, ChangedSince: see ``diagnosis.outcomes.errors``.
    """
    ensure_same_clinic(specimen.lesion.patient, by)
    if not has_words(reason):
        raise OutcomeNeedsReason
    with transaction.atomic():
        _lesion, outcome = lock_lesion(specimen.lesion, made_from=made_from)
        history = next((each for each in outcome.specimens if each.specimen.pk == specimen.pk), None)
        if history is None:
            raise SpecimenIsWithdrawn
        if history.newest is not None:
            raise SpecimenHasResult
        specimen = Specimen.objects.get(pk=specimen.pk)
        specimen.withdrawn_by, specimen.withdrawn_at = by, timezone.now()
        specimen.withdrawal_reason = reason.strip()
        specimen.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawal_reason"])
        specimen_withdrawn.send(sender=Specimen, specimen=specimen, by=by)
    log.info("Member %s withdrew specimen %s.", by.pk, specimen.pk)
    return specimen
