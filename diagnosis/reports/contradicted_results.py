"""Signed reports that said otherwise of a lesion than the laboratory: noted when the result is confirmed.

``diagnosis.reports.validity`` says what a report's readers must still be told; an addendum settles that. The rows
written here stay: they say what was reported before the laboratory answered, for the signer and for the count of
misses. A correction that moves photographs has them derived again.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Prefetch, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dermascan.core.site import site_link
from diagnosis.images.models import Image
from diagnosis.outcomes.examined import photographs_examined
from diagnosis.outcomes.models import PathologyResult
from diagnosis.reports.last_reported import LastReported, last_reported
from diagnosis.reports.models import Addendum, ContradictedReport, Report
from diagnosis.reports.models.contradicted import LONGEST_REASON
from diagnosis.reviews.answers import PRE_MALIGNANT
from patients.models import Member, MessageKind, OutgoingMessage
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
    return _note(result, _reports_before(result))


def derive_contradictions_again(*, lesions: Collection[str], visits: Collection[str], by: Member, reason: str) -> None:
    """Have the contradictions follow photographs that were moved. Call it in the transaction of the correction.

    One is closed, with the reason, once its report shows no photograph of the lesion that the result is about. What
    else the result contradicts now is noted, as what the report and its addenda said before the result counted.

    Args:
        lesions: the keys of the lesions that photographs or specimens left or joined.
        visits: the keys of the visits that they left or joined.
    """
    concerned = Q(specimen__lesion__in=lesions) | Q(contradicted_reports__report__visit__in=visits)
    results = PathologyResult.objects.counting().filter(concerned).select_related("specimen__lesion__patient__clinic")
    for result in results.distinct().order_by("pk"):
        photographs = _photographs_of_lesion(result)
        standing = []
        for row in ContradictedReport.objects.standing().filter(result=result).select_related("report"):
            if _lesions_with(row.report, photographs):
                standing.append(row.report_id)
            else:
                row.closed_by, row.closed_at, row.closing_reason = by, timezone.now(), reason[:LONGEST_REASON]
                row.save(update_fields=["closed_by", "closed_at", "closing_reason"])
        reports = _reports_before(result, also_at=visits, until_confirmed=True)
        _note(result, [report for report in reports if report.pk not in standing])


def said_of(report: Report, lesion: str) -> Said:
    """Return what ``report`` and its addenda say of a lesion; prefetch the addenda."""
    reported = last_reported(report)
    photographs = reported.lesions[lesion]["photographs"]
    labels = [reported.labels[each["id"]] for each in photographs if each["id"] in reported.labels]
    codes = frozenset(label.code for label in labels if label.code)
    return Said(codes, _in_words(reported, lesion), _warned(reported, lesion))


def _note(result: PathologyResult, reports: Iterable[Report]) -> list[ContradictedReport]:
    """Store those of ``reports`` that the result contradicts. A signer gets one message, which names all of theirs."""
    photographs = _photographs_of_lesion(result)
    rows: list[ContradictedReport] = []
    for report in reports:
        said = _together([said_of(report, lesion) for lesion in _lesions_with(report, photographs)])
        is_miss = result.is_malignant and not said.warned
        if is_miss or _says_otherwise(said, result):
            told = ContradictedReport.objects.filter(result=result, report=report).exists()
            row = ContradictedReport.objects.create(
                result=result, report=report, said=said.words[:LONGEST_WORDS], is_miss=is_miss
            )
            rows += [] if told else [row]
    first = {row.report.signed_by.user_id: row for row in reversed(rows)}
    for row in first.values():
        signer = row.report.signed_by.user
        queue_message(MessageKind.CONTRADICTED, about=row.pk, user=signer, address=signer.email)
    return rows


def _together(said: Collection[Said]) -> Said:
    """Return what a report says of the photographs of one lesion, which it may show as several."""
    return Said(
        frozenset().union(*(each.codes for each in said)),
        "; ".join(dict.fromkeys(each.words for each in said)),
        all(each.warned for each in said),
    )


def messages_to_signers(rows: list[ContradictedReport]) -> MessageQuerySet:
    """The messages to the signers of contradicted reports."""
    return OutgoingMessage.objects.filter(kind=MessageKind.CONTRADICTED, about__in=[row.pk for row in rows])


def _reports_before(
    result: PathologyResult, *, also_at: Collection[str] = (), until_confirmed: bool = False
) -> list[Report]:
    """Return the reports with photographs that show what was examined, or of any earlier visit of the lesion.

    Args:
        also_at: further visits whose reports may show them: those that a correction has taken them from.
        until_confirmed: only reports and addenda that were signed before the result counted.
    """
    examined = {str(image.pk) for image in photographs_examined(result.specimen)}
    if not examined:
        return []  # after an excision a report speaks of the scar
    lesion, photographs = result.specimen.lesion_id, _photographs_of_lesion(result)
    reports = Report.objects.filter(
        Q(visit__images__lesion=lesion) | Q(visit__in=also_at), visit__date__lte=result.specimen.sent_on
    )
    addenda = Addendum.objects.all()
    if until_confirmed:
        reports = reports.filter(signed_at__lte=result.confirmed_at)
        addenda = addenda.filter(signed_at__lte=result.confirmed_at)
    reports = reports.distinct().select_related("signed_by__user", "visit__patient__clinic")
    return [
        report
        for report in reports.prefetch_related(Prefetch("addenda", addenda))
        if _lesions_with(report, photographs) and (result.is_malignant or _lesions_with(report, examined))
    ]


def _photographs_of_lesion(result: PathologyResult) -> set[str]:
    images = Image.objects.filter(lesion=result.specimen.lesion_id).order_by()
    return {str(key) for key in images.values_list("pk", flat=True)}


def _lesions_with(report: Report, photographs: Collection[str]) -> list[str]:
    """Return the keys of the lesions under which a report shows any of ``photographs``."""
    lesions = json.loads(report.content)["lesions"]
    return [row["id"] for row in lesions if any(each["id"] in photographs for each in row["photographs"])]


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
    """The e-mail to the signer about all of their reports that a result contradicts. It has no clinical content.

    None if they have left, the result was withdrawn, or a correction has closed all.
    """
    first = ContradictedReport.objects.filter(pk=message.about_key).values("result")
    rows = ContradictedReport.objects.standing().filter(
        result__in=first, result__withdrawn_at__isnull=True, report__signed_by__user=message.user
    )
    reports = [
        row.report for row in rows.select_related("report__visit__patient__clinic").order_by("report__signed_at")
    ]
    user = message.user
    if not reports or user is None or not user.is_active or not user.email:
        return None
    message.address = user.email
    clinic, count = reports[0].visit.patient.clinic.name, len(reports)
    addresses = [site_link(reverse("visit", args=[report.visit_id])) for report in reports]
    context = {"clinic": clinic, "addresses": addresses, "count": count}
    subject = ngettext(
        "A report that you signed at %(clinic)s needs your attention",
        "%(count)d reports that you signed at %(clinic)s need your attention",
        count,
    ) % {"clinic": clinic, "count": count}
    return Letter(user.email, subject, render_to_string("reports/mail/contradicted.txt", context))
