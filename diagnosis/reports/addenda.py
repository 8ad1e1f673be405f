"""Addenda to signed reports. The report itself never changes; its readers also see the addendum."""

import hashlib
import json
import logging
import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.written_files import kept_only_on_success
from diagnosis.reports.addendum_content import build_addendum, plan_to_ask_about
from diagnosis.reports.content import canonical_json, content_sha256, photographs_of, signature
from diagnosis.reports.drafts import Draft, VisitChanged, contradictions_in_words
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.notices import notify_of_addendum
from diagnosis.reports.pdf import render_addendum
from diagnosis.reports.printable_text import ensure_printable, without_controls
from diagnosis.reports.report_pictures import readable_figures
from diagnosis.reports.services import lock_visit
from patients.models import Member, VisitStatus
from patients.services.same_clinic import ensure_dermatologist_of

log = logging.getLogger(__name__)


class WordsMissing(Refused):
    code = "words_missing"

    def __init__(self) -> None:
        super().__init__(_("The addendum is empty. Write what you want to add."))


class PlanUnanswered(Refused):
    code = "plan_unanswered"

    def __init__(self) -> None:
        super().__init__(_("Choose whether the addendum replaces the plan or adds to it."))


def draft_addendum(*, report: Report) -> Draft:
    """Return a draft of the next addendum to ``report``: all of its content except the text to be written."""
    return Draft(build_addendum(report, words=""), contradictions_in_words(report.visit))


def sign_addendum(
    *, report: Report, by: Member, words: str, replaces_plan: bool | None = None, seen: str | None = None
) -> Addendum:
    """Sign an addendum to a report: ``words``, together with everything that has changed since.

    A patient who can read the report can read the addendum at once and is notified by e-mail. Submitting the same
    form twice signs once: the second call returns the first addendum.

    Args:
        words: the text for the patient and other readers; not blank.
        replaces_plan: whether it replaces the report's plan, if that is asked (``plan_to_ask_about``).
        seen: the fingerprint of the draft that ``by`` has checked; None skips this check.

    Raises:
        PermissionDenied: ``by`` is not a dermatologist of the patient's clinic.
        WordsMissing, PlanUnanswered, VisitChanged, LettersCannotBePrinted: nothing was signed.
    """
    ensure_dermatologist_of(report.visit.patient, by)
    words = str(without_controls(words.replace("\r\n", "\n"))).strip()
    if not words:
        raise WordsMissing
    draft = draft_addendum(report=report)
    if seen is not None and seen != draft.fingerprint:
        if addendum := _already_signed(report, by, words, replaces_plan):
            return addendum
        draft.ensure_seen(seen)
    if not plan_to_ask_about(report, draft.content):
        replaces_plan = None
    elif replaces_plan is None:
        raise PlanUnanswered
    content = build_addendum(report, words=words, replaces_plan=replaces_plan)
    ensure_printable([content, by.name])

    addendum = Addendum(id=uuid.uuid4(), report=report, number=content["number"], signed_by=by)
    addendum.signed_at = timezone.now().replace(microsecond=0)
    signed_content = {**content, "addendum": signature(addendum.pk, by=by, at=addendum.signed_at)}
    addendum.content = canonical_json(signed_content)
    addendum.content_sha256 = content_sha256(addendum.content)
    pdf = render_full_pdf(addendum)
    addendum.pdf_sha256 = hashlib.sha256(pdf).hexdigest()

    with kept_only_on_success() as files:
        files.write(addendum.pdf, pdf)
        with transaction.atomic():
            visit = lock_visit(report.visit_id)
            if build_addendum(report, words=words, replaces_plan=replaces_plan) != content:
                raise VisitChanged
            draft_addendum(report=report).ensure_seen(draft.fingerprint)
            addendum.save(force_insert=True)
            is_withheld = Report.objects.kept_from_patients().filter(pk=report.pk).exists()
            if visit.status == VisitStatus.RELEASED and not is_withheld:
                notify_of_addendum(addendum=addendum)
    log.info("Addendum %s to report %s was signed by member %s.", addendum.pk, report.pk, by.pk)
    return addendum


def render_full_pdf(addendum: Addendum) -> bytes:
    """Return one PDF with the addendum, the earlier addenda, and the report marked as amended."""
    report = addendum.report
    return render_addendum(
        json.loads(addendum.content),
        content_sha256=addendum.content_sha256,
        report=report,
        earlier=list(report.addenda.filter(number__lt=addendum.number)),
        figures=readable_figures(photographs_of(report.visit)),
    )


def _already_signed(report: Report, by: Member, words: str, replaces_plan: bool | None) -> Addendum | None:
    """Return the newest addendum if ``by`` has already signed it with the same text and answer, else None."""
    newest = Addendum.objects.filter(report=report).order_by("-number").first()
    if newest is None or newest.signed_by_id != by.pk or newest.words != words:
        return None
    return newest if json.loads(newest.content).get("replaces_plan") == replaces_plan else None
