"""Signed reports that said otherwise of a lesion than the laboratory: noted when the result is confirmed.

``diagnosis.reports.validity`` says what a report's readers must still be told; an addendum settles that. The rows
written here stay: they say what was reported before the laboratory answered, for the signer and for the count of
misses.
"""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.site import site_link
from diagnosis.outcomes.examined import photographs_examined
from diagnosis.outcomes.models import PathologyResult
from diagnosis.reports.last_reported import LastReported, last_reported
from diagnosis.reports.models import ContradictedReport, Report
from diagnosis.reviews.answers import PRE_MALIGNANT
from patients.models import MessageKind, OutgoingMessage
from patients.models.message import MessageQuerySet
from patients.outbox import Letter, queue_message, writes

LONGEST_WORDS = 300
# Below pre-malignant: the middle tier warns too.
ANY_DANGER = 1


@dataclass(frozen=True)
class Said:
    """What a report and its addenda say of one lesion.

    Attributes:
        codes: the labels of its photographs.
        words: the labels in words, or the software's answers where there is none.
        warned: its readers know that the lesion is or may be malignant, or must be seen soon.
    """

    codes: frozenset[str]
    words: str
    warned: bool


def note_contradicted_reports(*, result: PathologyResult) -> list[ContradictedReport]:
    """Store the signed reports that ``result`` contradicts, and write to their signers.

    Call it in the transaction that confirms the result.
    """
    rows = []
    for report in _reports_before(result):
        said = said_of(report, str(result.specimen.lesion_id))
        is_miss = result.is_malignant and not said.warned
        if not is_miss and not _says_otherwise(said, result):
            continue
        row = ContradictedReport.objects.create(
            result=result, report=report, said=said.words[:LONGEST_WORDS], is_miss=is_miss
        )
        signer = report.signed_by.user
        queue_message(MessageKind.CONTRADICTED, about=row.pk, user=signer, address=signer.email)
        rows.append(row)
    return rows


def said_of(report: Report, lesion: str) -> Said:
    """Return what ``report`` and its addenda say of a lesion; prefetch the addenda."""
    reported = last_reported(report)
    photographs = reported.lesions[lesion]["photographs"]
    labels = [reported.labels[each["id"]] for each in photographs if each["id"] in reported.labels]
    codes = frozenset(label.code for label in labels if label.code)
    return Said(codes, _in_words(reported, lesion), _warned(reported, lesion))


def messages_to_signers(rows: list[ContradictedReport]) -> MessageQuerySet:
    """The messages to the signers of contradicted reports."""
    return OutgoingMessage.objects.filter(kind=MessageKind.CONTRADICTED, about__in=[row.pk for row in rows])


def _reports_before(result: PathologyResult) -> list[Report]:
    """Return the reports with photographs that show what was examined, or of any earlier visit of the lesion."""
    visits = {image.visit_id for image in photographs_examined(result.specimen)}
    if not visits:
        return []  # after an excision a report speaks of the scar
    lesion, sent_on = result.specimen.lesion_id, result.specimen.sent_on
    reports = Report.objects.filter(visit__images__lesion=lesion, visit__date__lte=sent_on).distinct()
    reports = reports.select_related("signed_by__user", "visit__patient__clinic").prefetch_related("addenda")
    return [
        report
        for report in reports
        if str(lesion) in last_reported(report).lesions and (report.visit_id in visits or result.is_malignant)
    ]


def _says_otherwise(said: Said, result: PathologyResult) -> bool:
    """Whether a report names a diagnosis of the lesion, and not the laboratory's."""
    return result.names_a_diagnosis and bool(said.codes) and result.answer not in said.codes


def _warned(reported: LastReported, lesion: str) -> bool:
    """Whether the readers were told of danger, or that the lesion must be looked at, and no benign label denied it."""
    if reported.danger_rank(lesion) >= PRE_MALIGNANT or reported.is_urgent(lesion, rank=ANY_DANGER):
        return True
    photographs = reported.lesions[lesion]["photographs"]
    suspected = (reported.labels.get(each["id"]) for each in photographs)
    return any(reported.reports_suspicion(each["id"]) for each in photographs) or any(
        label is not None and label.suspected for label in suspected
    )


def _in_words(reported: LastReported, lesion: str) -> str:
    photographs = reported.lesions[lesion]["photographs"]
    labels = [reported.labels[each["id"]].words for each in photographs if each["id"] in reported.labels]
    if labels:
        return ", ".join(dict.fromkeys(labels))
    answers = [each["assessment"]["heading"] for each in photographs if each["assessment"]]
    if answers:
        return _("No confirmed diagnosis. The software: %(answers)s") % {
            "answers": ", ".join(dict.fromkeys(answer.rstrip(".") for answer in answers))
        }
    count = len(photographs)
    return ngettext(
        "No confirmed diagnosis: the photograph was not analysed",
        "No confirmed diagnosis: the photographs were not analysed",
        count,
    )


@writes(MessageKind.CONTRADICTED)
def contradicted_letter(message: OutgoingMessage) -> Letter | None:
    """The e-mail to the signer; None if they have left, or the result was withdrawn. It has no clinical content."""
    rows = ContradictedReport.objects.filter(pk=message.about_key, result__withdrawn_at__isnull=True)
    row = rows.select_related("report__visit__patient__clinic").first()
    user = message.user
    if row is None or user is None or not user.is_active or not user.email:
        return None
    message.address = user.email
    clinic = row.report.visit.patient.clinic.name
    context = {"clinic": clinic, "address": site_link(reverse("visit", args=[row.report.visit_id]))}
    subject = _("A report that you signed at %(clinic)s needs your attention") % {"clinic": clinic}
    return Letter(user.email, subject, render_to_string("reports/mail/contradicted.txt", context))
