"""Enter, confirm and withdraw laboratory results. A confirmed one sets labels by the clinic's rule for reviews."""

import datetime
import logging
from dataclasses import asdict, dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Max
from django.dispatch import Signal
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dermascan.core.sentences import has_words
from dermascan.core.written_files import kept_only_on_success
from diagnosis.images.models.step import newest_step
from diagnosis.outcomes.errors import (
    AlreadyConfirmed,
    AmendedSince,
    OutcomeNeedsReason,
    ReceivedTooEarly,
    ResultIsWithdrawn,
    SpecimenIsWithdrawn,
)
from diagnosis.outcomes.examined import photographs_to_label
from diagnosis.outcomes.locks import lock_lesion
from diagnosis.outcomes.models import Margins, PathologyResult, ResultReview, Specimen
from diagnosis.outcomes.report_files import ReportFile
from diagnosis.outcomes.signals import result_withdrawn
from diagnosis.outcomes.specimens import set_number
from diagnosis.outcomes.states import LesionOutcome
from diagnosis.reviews.answers import FREE_TEXT, Basis, Certainty
from diagnosis.reviews.models import Review
from diagnosis.reviews.services import record_review, retract_with_its_source
from patients.models import Member
from patients.names import clean_line
from patients.services.same_clinic import ensure_dermatologist_of, ensure_same_clinic

log = logging.getLogger(__name__)

# Sent inside the transaction with ``result`` and ``by``; a receiver that raises rolls it back.
result_confirmed = Signal()


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a laboratory's report states."""

    received_on: datetime.date
    answer: str
    reported_by: str = ""
    other_text: str = ""
    invasion: str = ""
    breslow_mm: Decimal | None = None
    ulceration: str = ""
    margins: str = Margins.NOT_STATED
    report_text: str = ""


def enter_result(
    *,
    specimen: Specimen,
    by: Member,
    findings: Findings,
    reason: str = "",
    number: str = "",
    file: ReportFile | None = None,
    made_from: str | None = None,
) -> PathologyResult:
    """Enter what the laboratory reported. It counts for nothing until a dermatologist has confirmed it.

    Args:
        reason: why the result is amended; required if the specimen has one already.
        number: the specimen's number, if it was not known when it was sent.
        made_from: the token of the form; see ``LesionOutcome.token``.

    Raises:
        PermissionDenied: ``by`` belongs to another clinic.
        SpecimenIsWithdrawn, ReceivedTooEarly, OutcomeNeedsReason, SpecimenNumberTaken, SpecimenHasNumber,
            ChangedSince: see ``diagnosis.outcomes.errors``.
    """
    ensure_same_clinic(specimen.lesion.patient, by)
    if findings.received_on < specimen.sent_on:
        raise ReceivedTooEarly(specimen)
    with kept_only_on_success() as files, transaction.atomic():
        _lesion, outcome = lock_lesion(specimen.lesion, made_from=made_from)
        specimen = Specimen.objects.select_related("lesion__patient").get(pk=specimen.pk)
        if specimen.withdrawn_at is not None:
            raise SpecimenIsWithdrawn
        if set_number(specimen, number):
            specimen.save(update_fields=["number", "number_key"])
        highest = specimen.results.aggregate(highest=Max("number"))["highest"] or 0
        result = PathologyResult(
            specimen=specimen,
            number=highest + 1,
            reason=_reason(specimen, outcome, reason),
            entered_by=by,
            **asdict(findings),
        )
        result.reported_by, result.report_text = clean_line(result.reported_by), result.report_text.strip()
        result.other_text = result.other_text.strip() if result.answer in FREE_TEXT else ""
        if file is not None:
            result.file_name, result.file_type, result.file_sha256 = file.name, file.media_type, file.sha256
            files.write(result.file, file.data)
        result.save(force_insert=True)
    log.info("Member %s entered result %s of specimen %s.", by.pk, result.pk, specimen.pk)
    return result


def confirm_result(*, result: PathologyResult, by: Member) -> list[Review]:
    """Make a result count: it is recorded as histopathology on the photographs that show what was examined.

    The clinic's rule then settles their labels, and queue, warnings and training follow. Signed reports that say
    otherwise are noted by ``diagnosis.reports.receivers``.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        ResultIsWithdrawn, AlreadyConfirmed, AmendedSince: see ``diagnosis.outcomes.errors``.
    """
    ensure_dermatologist_of(result.specimen.lesion.patient, by)
    with transaction.atomic():
        _lesion, outcome = lock_lesion(result.specimen.lesion, made_from=None)
        result = _locked(result)
        if result.is_confirmed:
            raise AlreadyConfirmed
        if _newest(result, outcome) != result:
            raise AmendedSince
        result.confirmed_by, result.confirmed_at, result.counted_after = by, timezone.now(), newest_step()
        result.save(update_fields=["confirmed_by", "confirmed_at", "counted_after"])
        reviews = _label_photographs(result, by)
        result_confirmed.send(sender=PathologyResult, result=result, by=by)
    log.info("Member %s confirmed result %s; it labels %d photographs.", by.pk, result.pk, len(reviews))
    return reviews


def label_further_photographs(*, result: PathologyResult, by: Member) -> list[Review]:
    """Record a confirmed result on photographs that were added or included again after its confirmation.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        ResultIsWithdrawn, AmendedSince: see ``diagnosis.outcomes.errors``.
    """
    ensure_dermatologist_of(result.specimen.lesion.patient, by)
    with transaction.atomic():
        _lesion, outcome = lock_lesion(result.specimen.lesion, made_from=None)
        result = _locked(result)
        if _newest(result, outcome) != result or not result.is_confirmed:
            raise AmendedSince
        return _label_photographs(result, by)


def withdraw_result(*, result: PathologyResult, by: Member, reason: str) -> PathologyResult:
    """Withdraw a result that was entered by mistake, with the reviews that it added. All stay on record.

    Raises:
        PermissionDenied: ``by`` is of another clinic, or the result is confirmed and ``by`` is no dermatologist.
        OutcomeNeedsReason, ResultIsWithdrawn: see ``diagnosis.outcomes.errors``.
    """
    patient = result.specimen.lesion.patient
    ensure_same_clinic(patient, by)
    if not has_words(reason):
        raise OutcomeNeedsReason
    with transaction.atomic():
        lock_lesion(result.specimen.lesion, made_from=None)
        result = _locked(result)
        if result.is_confirmed:
            ensure_dermatologist_of(patient, by)
        result.withdrawn_by, result.withdrawn_at, result.withdrawal_reason = by, timezone.now(), reason.strip()
        result.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawal_reason"])
        for row in result.reviews.select_related("review__image").order_by("review__step"):
            retract_with_its_source(review=row.review)
        result_withdrawn.send(sender=PathologyResult, result=result, by=by)
    log.info("Member %s withdrew result %s.", by.pk, result.pk)
    return result


def _label_photographs(result: PathologyResult, by: Member) -> list[Review]:
    reviews = []
    for image in photographs_to_label(result):
        review = record_review(
            image=image,
            reviewer=by,
            answer=result.answer,
            other_text=result.other_text,
            certainty=Certainty.CERTAIN,
            basis=Basis.HISTOPATHOLOGY,
            reason=_origin(result),
        )
        ResultReview.objects.create(result=result, review=review)
        reviews.append(review)
    return reviews


def _origin(result: PathologyResult) -> str:
    """Return what the review says about its origin."""
    words = _("Laboratory result of %(date)s (%(specimen)s): %(details)s.") % {
        "date": date_format(result.received_on, "j M Y"),
        "specimen": result.specimen.title,
        "details": result.details,
    }
    return f"{words} {_('Reported by %(name)s.') % {'name': result.reported_by}}" if result.reported_by else words


def _reason(specimen: Specimen, outcome: LesionOutcome, reason: str) -> str:
    """Return the reason of an amended result; empty for the first one."""
    history = next(each for each in outcome.specimens if each.specimen.pk == specimen.pk)
    if not history.results:
        return ""
    if has_words(reason):
        return reason.strip()
    if history.newest is not None:
        raise OutcomeNeedsReason
    return _("Entered again after the earlier one was withdrawn.")


def _locked(result: PathologyResult) -> PathologyResult:
    """Return the result, read again under the lesion's lock."""
    result = PathologyResult.objects.select_related("specimen__lesion__patient").get(pk=result.pk)
    if result.is_withdrawn:
        raise ResultIsWithdrawn
    return result


def _newest(result: PathologyResult, outcome: LesionOutcome) -> PathologyResult | None:
    histories = (each for each in outcome.specimens if each.specimen.pk == result.specimen_id)
    return next((each.newest for each in histories), None)
