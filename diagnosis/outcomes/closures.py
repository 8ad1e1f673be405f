"""Close a lesion that is no longer followed, and reopen it."""

import logging

from django.db import transaction
from django.utils import timezone

from dermascan.core.sentences import has_words
from diagnosis.outcomes.errors import LesionIsClosed, LesionIsOpen, OutcomeNeedsReason, ResultAwaited
from diagnosis.outcomes.locks import lock_lesion
from diagnosis.outcomes.models import ClosureReason, LesionClosure
from diagnosis.outcomes.signals import lesion_closed
from patients.models import Lesion, Member
from patients.services.same_clinic import ensure_dermatologist_of

log = logging.getLogger(__name__)


def close_lesion(
    *, lesion: Lesion, by: Member, why: str, note: str = "", made_from: str | None = None
) -> LesionClosure:
    """Close a lesion: a dermatologist decides that it is no longer followed.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        LesionIsClosed, ResultAwaited, OutcomeNeedsReason, ChangedSince: see ``diagnosis.outcomes.errors``.
    """
    ensure_dermatologist_of(lesion.patient, by)
    if why == ClosureReason.OTHER and not has_words(note):
        raise OutcomeNeedsReason
    with transaction.atomic():
        lesion, outcome = lock_lesion(lesion, made_from=made_from)
        if outcome.closure:
            raise LesionIsClosed
        if (specimen := outcome.unfinished) is not None:
            raise ResultAwaited(specimen)
        closure = LesionClosure.objects.create(lesion=lesion, why=ClosureReason(why), note=note.strip(), closed_by=by)
        lesion_closed.send(sender=LesionClosure, closure=closure, by=by)
    log.info("Member %s closed lesion %s: %s.", by.pk, lesion.pk, closure.why)
    return closure


def reopen_lesion(*, lesion: Lesion, by: Member, reason: str, made_from: str | None = None) -> LesionClosure:
    """Reopen a closed lesion: it is followed again.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        LesionIsOpen, OutcomeNeedsReason, ChangedSince: see ``diagnosis.outcomes.errors``.
    """
    ensure_dermatologist_of(lesion.patient, by)
    if not has_words(reason):
        raise OutcomeNeedsReason
    with transaction.atomic():
        lesion, outcome = lock_lesion(lesion, made_from=made_from)
        if (closure := outcome.closure) is None:
            raise LesionIsOpen
        closure.reopened_by, closure.reopened_at, closure.reopening_reason = by, timezone.now(), reason.strip()
        closure.save(update_fields=["reopened_by", "reopened_at", "reopening_reason"])
    log.info("Member %s reopened lesion %s.", by.pk, lesion.pk)
    return closure
