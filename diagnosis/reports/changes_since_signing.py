"""Labels and exclusions that have changed since a report was signed. Its readers must be told."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.assessment.case_context import suspected_on
from diagnosis.images.models import Exclusion, Image, Tier
from diagnosis.reports.content import settled_label
from diagnosis.reports.last_reported import NO_LABEL, LastReported, ReportedLabel, last_reported
from diagnosis.reports.models import Report
from diagnosis.reviews.answers import FREE_TEXT, PRE_MALIGNANT, danger_rank
from diagnosis.reviews.labelled_images import with_confirmed_label, with_suspicions
from diagnosis.reviews.review_words import answer_name


@dataclass(frozen=True)
class LabelChange:
    """A photograph whose label differs from the one last reported in the report or an addendum.

    Attributes:
        which: which photograph it is, if the report has several of the lesion; else empty.
        is_included_again: it was excluded when the report was signed, so the report does not contain it.
    """

    image: Image
    then: ReportedLabel
    now: ReportedLabel
    which: str
    is_included_again: bool = False


def label_changes_of(reports: Sequence[Report]) -> dict[UUID, list[LabelChange]]:
    """Return, by report, the photographs whose label was settled, changed or lost since it was last reported.

    Includes photographs with a new suspicion of malignancy and those whose exclusion was undone. The number of
    queries does not depend on the number of reports; prefetch their addenda.
    """
    images = Image.objects.in_use().filter(visit__in=[report.visit_id for report in reports])
    by_visit: dict[UUID, list[Image]] = {}
    images = with_suspicions(with_confirmed_label(images.select_related("lesion", "label__review")))
    for image in images.order_by("lesion__number", "created_at", "pk"):
        by_visit.setdefault(image.visit_id, []).append(image)
    return {report.pk: _label_changes(report, by_visit.get(report.visit_id, ())) for report in reports}


def _label_changes(report: Report, images: Iterable[Image]) -> list[LabelChange]:
    reported, positions = last_reported(report), _photographs_in_report(report)
    changes = []
    for image in images:
        then, now = reported.labels.get(str(image.pk), NO_LABEL), _current_label(image)
        is_included_again = str(image.pk) not in positions and str(image.pk) not in reported.labels
        change = LabelChange(image, then, now, positions.get(str(image.pk), _("not in the report")), is_included_again)
        if is_included_again or _is_other_label(then, now) or _is_other_suspicion(reported, change):
            changes.append(change)
    return changes


def _is_other_label(then: ReportedLabel, now: ReportedLabel) -> bool:
    # Names may differ only in language, except for free text.
    return then.code != now.code or (now.code in FREE_TEXT and then.name != now.name)


def _is_other_suspicion(reported: LastReported, change: LabelChange) -> bool:
    """Whether malignancy is newly suspected, or a reported suspicion no longer stands."""
    then, now = (danger_rank(label.suspected_code) for label in (change.then, change.now))
    if change.then.suspected:
        return now > then or not change.now.suspected
    if reported.reports_suspicion(str(change.image.pk)):
        return False
    return now > _reported_rank(reported, change) and _was_reassured(reported, change, rank=now)


def _reported_rank(reported: LastReported, change: LabelChange) -> int:
    """The danger rank last reported for the lesion; above every rank if the report does not contain it."""
    lesion = str(change.image.lesion_id)
    return reported.danger_rank(lesion) if lesion in reported.lesions else PRE_MALIGNANT + 1


def lesions_no_longer_benign(report: Report, changes: Iterable[LabelChange]) -> set[str]:
    """The identifiers of lesions that a report calls benign but reviews no longer do.

    Leaves out lesions reported as malignant or urgent: those patients already know that they must be seen soon.
    """
    reported, lesions = last_reported(report), set()
    for each in changes:
        rank = max(danger_rank(each.now.code), danger_rank(each.now.suspected_code))
        is_named = rank > max(danger_rank(each.then.code), danger_rank(each.then.suspected_code))
        # A lost label is in doubt: a reader suspects more, or is no longer sure.
        is_doubted = not each.now.code and bool(each.then.code)
        is_unreported = _reported_rank(reported, each) < (rank if is_named else PRE_MALIGNANT)
        is_news = is_named or is_doubted or (each.is_included_again and _is_not_calm(each.image))
        if is_news and is_unreported and _was_reassured(reported, each, rank=rank):
            lesions.add(str(each.image.lesion_id))
    return lesions


def _is_not_calm(image: Image) -> bool:
    prediction = image.shown_prediction
    return prediction is None or prediction.shown_tier != Tier.CALM


def _was_reassured(reported: LastReported, change: LabelChange, *, rank: int) -> bool:
    """Whether the reported label, or else the reported answer, is less serious than ``rank``."""
    if change.then.code:
        return danger_rank(change.then.code) < max(rank, 1)
    lesion = str(change.image.lesion_id)
    if lesion not in reported.lesions:
        return False
    return not reported.is_urgent(lesion, str(change.image.pk), rank=rank or PRE_MALIGNANT)


@dataclass(frozen=True)
class ExcludedPhotograph:
    """A photograph that was excluded after its report was signed; ``which`` as in ``LabelChange``."""

    exclusion: Exclusion
    which: str


def exclusions_since_signing(reports: Sequence[Report]) -> dict[UUID, list[ExcludedPhotograph]]:
    """Return, by report, the photographs excluded since signing that no addendum reports yet.

    Photographs of another patient always count: such a report must not be read at all.
    """
    rows = Exclusion.objects.standing().filter(image__visit__in=[report.visit_id for report in reports])
    by_visit: dict[UUID, list[Exclusion]] = {}
    for row in rows.select_related("image__lesion").order_by("image__lesion__number", "created_at"):
        by_visit.setdefault(row.image.visit_id, []).append(row)
    return {report.pk: _excluded(report, by_visit.get(report.visit_id, ())) for report in reports}


def lesions_without_evidence(report: Report, excluded: Iterable[ExcludedPhotograph]) -> set[str]:
    """The identifiers of lesions that a report calls benign on the evidence of an excluded photograph."""
    benign = last_reported(report).not_called_malignant
    return {lesion for each in excluded if (lesion := str(each.exclusion.image.lesion_id)) in benign}


def _excluded(report: Report, rows: Iterable[Exclusion]) -> list[ExcludedPhotograph]:
    positions = _photographs_in_report(report)
    reported = {
        row["id"] for addendum in report.addenda.all() for row in json.loads(addendum.content).get("set_aside", ())
    }
    return [
        ExcludedPhotograph(row, positions[str(row.image_id)])
        for row in rows
        if str(row.image_id) in positions and (row.shows_other_patient or str(row.pk) not in reported)
    ]


def _photographs_in_report(report: Report) -> dict[str, str]:
    """The photographs in a report, by identifier, each with its position among those of its lesion."""
    positions = {}
    for lesion in json.loads(report.content)["lesions"]:
        count = len(lesion["photographs"])
        for number, photograph in enumerate(lesion["photographs"], start=1):
            positions[photograph["id"]] = _which(number, count)
    return positions


def _which(number: int, count: int) -> str:
    return _("photograph %(number)d of %(count)d") % {"number": number, "count": count} if count > 1 else ""


def _current_label(image: Image) -> ReportedLabel:
    label, suspicion = settled_label(image), suspected_on(image)
    suspected = (suspicion.name, suspicion.answer) if suspicion else ("", "")
    if label is None:
        return ReportedLabel("", "", *suspected)
    words = label.review.other_text if label.review else ""
    return ReportedLabel(label.answer, answer_name(label.answer, words), *suspected)
