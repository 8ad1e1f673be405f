"""Signing freezes a visit as a report; releasing shows it to the patient. Open → signed → released, never back."""

import hashlib
import json
import logging
import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from dermascan.core.sentences import has_words, is_a_sentence
from dermascan.core.written_files import kept_only_on_success
from diagnosis.followup.at_signing import (
    Chosen,
    Outcome,
    carry_out,
    ensure_next_steps,
    next_steps_at,
    plan_with_steps,
)
from diagnosis.followup.step_words import step_in_words
from diagnosis.images.models import Image
from diagnosis.outcomes.models import LesionClosure
from diagnosis.reports.content import Content, attach_signature, canonical_json, content_sha256, photographs_of
from diagnosis.reports.drafts import VisitChanged, draft_report, ensure_contradictions_seen
from diagnosis.reports.errors import (
    AlreadyReleased,
    ExcludedSince,
    NothingToSign,
    NotSigned,
    OtherVisitChanged,
    PhotographUnreadable,
    PlanMissing,
    RecordChangedSince,
    ReviewsContradictReport,
    SameFileUnchecked,
    ShowsOtherPatient,
)
from diagnosis.reports.models import Report
from diagnosis.reports.notices import notify_of_release
from diagnosis.reports.pdf import render_pdf
from diagnosis.reports.printable_text import ensure_few_pictograms, ensure_printable, without_controls
from diagnosis.reports.report_pictures import figures_of
from diagnosis.reports.signing_checks import lesions_that_need_a_step, pressing_lesions
from diagnosis.reports.validity import unreported_changes_of
from diagnosis.reviews.contradictions import contradictions_at
from patients.edits import change_record
from patients.models import Member, Visit, VisitStatus
from patients.services.same_clinic import ensure_dermatologist_of
from patients.services.visits import VisitIsClosed

log = logging.getLogger(__name__)


def preview_report(
    *, visit: Visit, by: Member, plan: str, next_steps: Mapping[uuid.UUID, Chosen] | None = None
) -> bytes:
    """Return the PDF as it would be signed now, marked as a draft on every page. Nothing is stored.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        VisitIsClosed, NothingToSign, PhotographUnreadable: there is no report to preview.
        TooManyPictograms: the layout would take minutes.
    """
    ensure_dermatologist_of(visit.patient, by)
    visit = _load(visit.pk)
    _ensure_open(visit)
    outcomes = next_steps_at(visit, next_steps)
    plan = plan_with_steps(_cleaned_plan(plan), outcomes)
    content = with_plan(draft_report(visit=visit).content, _cleaned_plan(plan), outcomes)
    if not content["lesions"]:
        raise NothingToSign
    ensure_few_pictograms(content)
    return render_pdf(content, content_sha256="", figures=_figures(visit))


def sign_visit(
    *,
    visit: Visit,
    by: Member,
    plan: str | None = None,
    seen: str | None = None,
    no_plan_reason: str = "",
    checked: Collection[str] | None = None,
    next_steps: Mapping[uuid.UUID, Chosen] | None = None,
) -> Report:
    """Freeze the visit as a report, with its content and PDF hashed.

    The PDF takes seconds and is made before the transaction; under the lock the content is built again and must be
    identical.

    Args:
        plan: replaces the visit's plan in the same transaction; None keeps it.
        seen: the fingerprint of the draft that ``by`` has checked; None skips this check.
        no_plan_reason: a sentence on why a needed plan is missing; the patient does not read it.
        checked: the keys of photographs that ``by`` has confirmed although the same file is stored elsewhere too;
            None skips this check.
        next_steps: what ``by`` chose for each lesion, by its key. The plan that the patient reads names the steps.
            None skips the check that no lesion that needs a step is left without one.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        NextStepMissing, DischargeUnexplained, PlanChangedMeanwhile: the next steps are not complete.
        VisitIsClosed, NothingToSign, PlanMissing, LettersCannotBePrinted, VisitChanged, PhotographUnreadable:
            nothing was signed.
    """
    ensure_dermatologist_of(visit.patient, by)
    visit = _load(visit.pk)
    _ensure_open(visit)
    plan = _cleaned_plan(visit.plan if plan is None else plan)
    draft = draft_report(visit=visit)
    if seen is not None:
        draft.ensure_seen(seen)
    outcomes = next_steps_at(visit, next_steps)
    reason = "" if has_words(plan) else _cleaned_plan(no_plan_reason)
    typed, plan = plan, _cleaned_plan(plan_with_steps(plan, outcomes))
    content = with_plan(draft.content, plan, outcomes)
    if not content["lesions"]:
        raise NothingToSign
    _ensure_planned(visit, content, typed, outcomes, reason)
    _ensure_files_checked(visit, checked)
    if next_steps is not None and not is_a_sentence(reason):
        ensure_next_steps(outcomes, needing_a_step(visit, content), visit=visit)
    ensure_printable([content, by.name])

    report = Report(id=uuid.uuid4(), visit=visit, signed_by=by, signed_at=timezone.now().replace(microsecond=0))
    report.no_plan_reason = reason or None
    report.content = canonical_json(attach_signature(content, report_id=report.pk, by=by, at=report.signed_at))
    report.content_sha256 = content_sha256(report.content)
    pdf = _render(report, visit)
    report.pdf_sha256 = hashlib.sha256(pdf).hexdigest()

    with kept_only_on_success() as files:
        files.write(report.pdf, pdf)
        with transaction.atomic():
            visit = lock_visit(visit.pk)
            _ensure_open(visit)
            now = draft_report(visit=visit)
            if now != draft:
                now.ensure_seen(draft.fingerprint)
                raise VisitChanged
            if next_steps_at(visit, next_steps) != outcomes:
                raise VisitChanged
            _ensure_planned(visit, content, typed, outcomes, reason)
            _ensure_files_checked(visit, checked)
            carry_out(outcomes, visit=visit, by=by)
            report.save(force_insert=True)
            change_record(visit, {"plan": plan, "status": VisitStatus.SIGNED}, by=by.user)
            visit.save(update_fields=["plan", "status", "changed_by", "changed_at"])
    log.info("Visit %s was signed by member %s as report %s.", visit.pk, by.pk, report.pk)
    return report


def release_report(
    *, report: Report, by: Member, seen: str | None = None, checked: Collection[str] | None = None
) -> Report:
    """Release a signed report to its patient and notify them. A report is released only once.

    Args:
        seen: the value of ``contradictions_seen`` on the page of the release; None skips this check.
        checked: as for ``sign_visit``.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        SameFileUnchecked: a photograph's file is stored elsewhere too, and was not confirmed.
        ContradictedMeanwhile: the contradictions between labels have changed since ``by`` saw them.
        NotSigned, AlreadyReleased: the visit is not waiting for its release.
        ReviewsContradictReport, OtherVisitChanged, RecordChangedSince, ShowsOtherPatient, ExcludedSince: see
            ``ensure_still_valid``.
    """
    ensure_dermatologist_of(report.visit.patient, by)
    with transaction.atomic():
        visit = lock_visit(report.visit_id)
        report = Report.objects.select_for_update(of=("self",)).get(pk=report.pk)
        if visit.status == VisitStatus.RELEASED:
            raise AlreadyReleased
        if visit.status != VisitStatus.SIGNED:
            raise NotSigned
        ensure_still_valid(report)
        _ensure_files_checked(visit, checked)
        if seen is not None:
            ensure_contradictions_seen(visit, seen)
        report.released_by = by
        report.released_at = max(timezone.now(), report.signed_at)  # the clock may have been set back
        report.save(update_fields=["released_by", "released_at"])
        change_record(visit, {"status": VisitStatus.RELEASED}, by=by.user)
        visit.save(update_fields=["status", "changed_by", "changed_at"])
        notify_of_release(report=report)
    log.info("Report %s was released by member %s.", report.pk, by.pk)
    return report


def ensure_still_valid(report: Report) -> None:
    """Refuse to show a patient a report that is out of date and not corrected by an addendum.

    Raises:
        ReviewsContradictReport: a label has changed.
        OtherVisitChanged: another visit has a danger or a withdrawn label that was not reported.
        RecordChangedSince: the record has changed.
        ShowsOtherPatient, ExcludedSince: a photograph has been excluded.
    """
    unreported = unreported_changes_of(report)
    if unreported.labels:
        raise ReviewsContradictReport
    if unreported.elsewhere:
        raise OtherVisitChanged([finding.title for finding in unreported.elsewhere])
    if unreported.shows_other_patient:
        raise ShowsOtherPatient
    if unreported.record:
        raise RecordChangedSince([change.what for change in unreported.record])
    if unreported.excluded:
        raise ExcludedSince


def _render(report: Report, visit: Visit) -> bytes:
    content: Content = json.loads(report.content)
    return render_pdf(content, content_sha256=report.content_sha256, figures=_figures(visit))


def _figures(visit: Visit) -> dict[str, bytes]:
    try:
        return figures_of(photographs_of(visit))
    except OSError as error:
        log.error("A photograph of visit %s cannot be read: %s", visit.pk, error)
        raise PhotographUnreadable from error


def _load(visit_id: uuid.UUID) -> Visit:
    return Visit.objects.select_related("patient__clinic", "clinician__user").get(pk=visit_id)


def lock_visit(visit_id: uuid.UUID) -> Visit:
    return Visit.objects.select_for_update().get(pk=visit_id)


def _ensure_open(visit: Visit) -> None:
    if not visit.is_open:
        raise VisitIsClosed


def needing_a_plan(visit: Visit, content: Content) -> list[str]:
    """The titles of lesions that need a plan before signing and a separate step to release the report.

    These are lesions that are or may be malignant by a label, urgent, or whose labels contradict each other about
    malignancy, at any visit.
    """
    contradicting = [each.lesion.title for each in contradictions_at(visit) if each.is_dangerous]
    return list(dict.fromkeys([*pressing_lesions(content), *contradicting]))


def needing_a_step(visit: Visit, content: Content) -> set[uuid.UUID]:
    """The lesions that signing asks a next step for: those that need a plan, and those not calm to the software.

    A lesion that was closed since its newest photograph needs none. ``diagnosis.record.search.plans_missing`` is the
    same rule as a query; a test compares the two case by case.
    """
    contradicting = [each.lesion.pk for each in contradictions_at(visit) if each.is_dangerous]
    needing = {*map(uuid.UUID, lesions_that_need_a_step(content)), *contradicting}
    closed = LesionClosure.objects.still_true().filter(lesion__in=needing)
    return needing - set(closed.values_list("lesion", flat=True))


def _ensure_planned(visit: Visit, content: Content, typed: str, outcomes: Sequence[Outcome], reason: str) -> None:
    """Refuse danger without a plan: neither typed, nor a next step of that lesion, nor a reason why there is none."""
    if has_words(typed) or is_a_sentence(reason):
        return
    planned = {outcome.lesion.title for outcome in outcomes if outcome.step}
    if lesions := [title for title in needing_a_plan(visit, content) if title not in planned]:
        raise PlanMissing(lesions)


def _ensure_files_checked(visit: Visit, checked: Collection[str] | None) -> None:
    if checked is None:
        return
    images = Image.objects.also_stored_elsewhere(visit).select_related("lesion").order_by("lesion__number")
    if unchecked := [image.lesion.title for image in images if str(image.pk) not in checked]:
        raise SameFileUnchecked(list(dict.fromkeys(unchecked)))


def with_plan(content: Content, plan: str, outcomes: Sequence[Outcome]) -> Content:
    """Return ``content`` with the plan, and with the next step of each lesion as it stands once this is signed."""
    steps = {str(outcome.lesion.pk): _step_in_report(outcome) for outcome in outcomes}
    lesions = [{**lesion, "next_step": steps.get(lesion["id"])} for lesion in content["lesions"]]
    return {**content, "visit": {**content["visit"], "plan": plan}, "lesions": lesions}


def _step_in_report(outcome: Outcome) -> Content | None:
    if not outcome.step:
        return None
    due = outcome.due_on.isoformat() if outcome.due_on else None
    return {"step": str(outcome.step), "due_on": due, "words": step_in_words(outcome.step, outcome.due_on)}


def _cleaned_plan(text: str) -> str:
    return str(without_controls(text.replace("\r\n", "\n"))).strip()
