"""What reviews have settled since a report was signed. The report stays what it is; whoever reads it must know."""

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
    """A photograph whose label is another than what was said of it last, in the report or an addendum.

    Attributes:
        which: the photograph, where the report has several of the lesion; else empty.
        is_included_again: readers were told nothing of it at all: it was set aside when the report was signed.
    """

    image: Image
    then: ReportedLabel
    now: ReportedLabel
    which: str
    is_included_again: bool = False


def label_changes_of(reports: Sequence[Report]) -> dict[UUID, list[LabelChange]]:
    """Return the photographs of each report whose label was settled, changed or lost after it was last spoken of.

    Also those on which somebody suspects danger of which the report says nothing, and those that were put back since.
    As many queries as for one report; their addenda are best prefetched.
    """
    images = Image.objects.in_use().filter(visit__in=[report.visit_id for report in reports])
    by_visit: dict[UUID, list[Image]] = {}
    images = with_suspicions(with_confirmed_label(images.select_related("lesion", "label__review")))
    for image in images.order_by("lesion__number", "created_at", "pk"):
        by_visit.setdefault(image.visit_id, []).append(image)
    return {report.pk: _labelled_otherwise(report, by_visit.get(report.visit_id, ())) for report in reports}


def _labelled_otherwise(report: Report, images: Iterable[Image]) -> list[LabelChange]:
    told, held = last_reported(report), _photographs_in_report(report)
    found = []
    for image in images:
        then, now = told.labels.get(str(image.pk), NO_LABEL), _current_label(image)
        is_included_again = str(image.pk) not in held and str(image.pk) not in told.labels
        since = LabelChange(image, then, now, held.get(str(image.pk), _("not in the report")), is_included_again)
        if is_included_again or _is_other_label(then, now) or _is_other_suspicion(told, since):
            found.append(since)
    return found


def _is_other_label(then: ReportedLabel, now: ReportedLabel) -> bool:
    # Words may differ by language alone, except those that a dermatologist wrote.
    return then.code != now.code or (now.code in FREE_TEXT and then.name != now.name)


def _is_other_suspicion(told: LastReported, since: LabelChange) -> bool:
    """Whether danger is suspected of which readers were told nothing, or no longer suspected though they were."""
    then, now = (danger_rank(said.suspected_code) for said in (since.then, since.now))
    if since.then.suspected:
        return now > then or not since.now.suspected
    if told.reports_suspicion(str(since.image.pk)):
        return False
    return now > _reported_rank(told, since) and _was_reassured(told, since, rank=now)


def _reported_rank(told: LastReported, since: LabelChange) -> int:
    """How much danger its readers were told of the lesion; of one that the report does not hold none can be news."""
    lesion = str(since.image.lesion_id)
    return told.danger_rank(lesion) if lesion in told.lesions else PRE_MALIGNANT + 1


def lesions_no_longer_benign(report: Report, since: Iterable[LabelChange]) -> set[str]:
    """The identifiers of lesions that a report calls harmless, and reviews no longer do.

    Lesions with a malignant label or an urgent answer are left out: their readers already know to be seen soon.
    """
    told, found = last_reported(report), set()
    for each in since:
        rank = max(danger_rank(each.now.code), danger_rank(each.now.suspected_code))
        is_named = rank > max(danger_rank(each.then.code), danger_rank(each.then.suspected_code))
        # A label that was lost is in doubt: somebody suspects more, or is no longer sure.
        is_doubted = not each.now.code and bool(each.then.code)
        is_unsaid = _reported_rank(told, each) < (rank if is_named else PRE_MALIGNANT)
        is_news = is_named or is_doubted or (each.is_included_again and _is_not_calm(each.image))
        if is_news and is_unsaid and _was_reassured(told, each, rank=rank):
            found.add(str(each.image.lesion_id))
    return found


def _is_not_calm(image: Image) -> bool:
    prediction = image.shown_prediction
    return prediction is None or prediction.shown_tier != Tier.CALM


def _was_reassured(told: LastReported, since: LabelChange, *, rank: int) -> bool:
    """Whether what readers were told of a photograph asks for no haste; of one not in the report, of its lesion."""
    if since.then.code:
        return danger_rank(since.then.code) < max(rank, 1)
    lesion = str(since.image.lesion_id)
    return lesion in told.lesions and not told.is_urgent(lesion, str(since.image.pk), rank=rank or PRE_MALIGNANT)


@dataclass(frozen=True)
class ExcludedPhotograph:
    """A photograph that was set aside after its report was signed; ``which`` as in ``LabelChange``."""

    exclusion: Exclusion
    which: str


def exclusions_since_signing(reports: Sequence[Report]) -> dict[UUID, list[ExcludedPhotograph]]:
    """Return the photographs of reports that were set aside since, as long as their readers were not told.

    An addendum tells them. Where another patient is shown none does: such a report is not to be read at all.
    """
    rows = Exclusion.objects.standing().filter(image__visit__in=[report.visit_id for report in reports])
    by_visit: dict[UUID, list[Exclusion]] = {}
    for row in rows.select_related("image__lesion").order_by("image__lesion__number", "created_at"):
        by_visit.setdefault(row.image.visit_id, []).append(row)
    return {report.pk: _removed(report, by_visit.get(report.visit_id, ())) for report in reports}


def lesions_without_evidence(report: Report, aside: Iterable[ExcludedPhotograph]) -> set[str]:
    """The identifiers of lesions that a report calls harmless by a photograph that no longer counts."""
    unsaid = last_reported(report).not_called_malignant
    return {lesion for removed in aside if (lesion := str(removed.exclusion.image.lesion_id)) in unsaid}


def _removed(report: Report, rows: Iterable[Exclusion]) -> list[ExcludedPhotograph]:
    held = _photographs_in_report(report)
    told = {
        row["id"] for addendum in report.addenda.all() for row in json.loads(addendum.content).get("set_aside", ())
    }
    return [
        ExcludedPhotograph(row, held[str(row.image_id)])
        for row in rows
        if str(row.image_id) in held and (row.shows_other_patient or str(row.pk) not in told)
    ]


def _photographs_in_report(report: Report) -> dict[str, str]:
    """The photographs that a report holds, by their numbers, and which of its lesion's each is."""
    found = {}
    for lesion in json.loads(report.content)["lesions"]:
        count = len(lesion["photographs"])
        for number, photograph in enumerate(lesion["photographs"], start=1):
            found[photograph["id"]] = _which(number, count)
    return found


def _which(number: int, count: int) -> str:
    return _("photograph %(number)d of %(count)d") % {"number": number, "count": count} if count > 1 else ""


def _current_label(image: Image) -> ReportedLabel:
    label, found = settled_label(image), suspected_on(image)
    suspected = (found.name, found.answer) if found else ("", "")
    if label is None:
        return ReportedLabel("", "", *suspected)
    words = label.review.other_text if label.review else ""
    return ReportedLabel(label.answer, answer_name(label.answer, words), *suspected)
