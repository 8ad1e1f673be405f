"""Withhold a released report that must not be relied on, and release it again. Nothing is deleted."""

import logging

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.sentences import is_a_sentence
from diagnosis.reports.errors import VisitIsVoid
from diagnosis.reports.models import Report, Withholding, WithholdingReason
from diagnosis.reports.notices import notify_of_renewed_release, notify_of_withholding
from diagnosis.reports.services import ensure_still_valid, lock_visit
from patients.models import Member
from patients.services.same_clinic import ensure_dermatologist_of

log = logging.getLogger(__name__)


class NotReleased(Refused):
    code = "not_released"

    def __init__(self) -> None:
        super().__init__(_("The patient cannot read this report, so there is nothing to withhold."))


class NotWithheld(Refused):
    code = "not_withheld"

    def __init__(self) -> None:
        super().__init__(_("No dermatologist has withheld this report, so there is nothing to release again."))


class NoteMissing(Refused):
    code = "note_missing"

    def __init__(self) -> None:
        super().__init__(_("Explain in a sentence what is wrong with the report."))


class WithholdingReasonMissing(Refused):
    code = "withholding_reason_missing"

    def __init__(self) -> None:
        super().__init__(_("Choose what is being checked."))


def withhold_report(*, report: Report, by: Member, reason: str, note: str) -> Withholding:
    """Withhold a released report from its patient until it is released again, and notify them.

    Args:
        reason: one of ``WithholdingReason``; the patient reads it.
        note: what is wrong, for the clinic.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        WithholdingReasonMissing, NoteMissing, NotReleased: nothing was done.
    """
    ensure_dermatologist_of(report.visit.patient, by)
    if reason not in WithholdingReason.values:
        raise WithholdingReasonMissing
    if not is_a_sentence(note):
        raise NoteMissing
    with transaction.atomic():
        lock_visit(report.visit_id)
        report = Report.objects.select_for_update(of=("self",)).get(pk=report.pk)
        if report.released_at is None or report.withholdings.standing().exists():
            raise NotReleased
        row = Withholding.objects.create(
            report=report, reason=WithholdingReason(reason), note=note.strip()[:300], member=by
        )
        notify_of_withholding(report=report, about=row)
    log.info("Report %s was withheld by member %s: %s.", report.pk, by.pk, row.reason)
    return row


def keep_withheld(*, report: Report, by: Member, note: str) -> None:
    """Keep a report withheld when an exclusion for showing another patient is undone.

    Runs in the caller's transaction, which holds the visit's lock. The patient was already notified.
    """
    if not report.withholdings.standing().exists():
        Withholding.objects.create(report=report, reason=WithholdingReason.DETAILS, note=note, member=by)


def withhold_for_correction(*, report: Report, by: Member, note: str) -> Withholding | None:
    """Withhold a released report whose record is corrected, and notify its patient; None if it is withheld already.

    Runs in the caller's transaction, which holds the visit's lock and decides who may correct. A dermatologist
    releases it again once an addendum names the correction.
    """
    if report.released_at is None or report.withholdings.standing().exists():
        return None
    row = Withholding.objects.create(report=report, reason=WithholdingReason.DETAILS, note=note[:300], member=by)
    notify_of_withholding(report=report, about=row)
    return row


def release_again(*, report: Report, by: Member) -> Withholding:
    """Release a withheld report to its patient again, with new addenda, and notify them.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        NotWithheld: no dermatologist has withheld it.
        VisitIsVoid: its visit was entered by mistake, or belongs to another patient.
        ReviewsContradictReport, OtherVisitChanged, RecordChangedSince, ShowsOtherPatient, ExcludedSince: it is out of
            date and needs an addendum.
    """
    ensure_dermatologist_of(report.visit.patient, by)
    with transaction.atomic():
        lock_visit(report.visit_id)
        report = Report.objects.select_for_update(of=("self",)).get(pk=report.pk)
        row = report.withholdings.standing().select_for_update().first()
        if row is None:
            raise NotWithheld
        if report.visit.is_void:
            raise VisitIsVoid
        ensure_still_valid(report)
        row.ended_by, row.ended_at = by, max(timezone.now(), row.created_at)  # the clock may have been set back
        row.save(update_fields=["ended_by", "ended_at"])
        notify_of_renewed_release(withholding=row)
    log.info("Report %s was released again by member %s.", report.pk, by.pk)
    return row
