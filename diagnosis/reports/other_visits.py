"""Findings of other visits about a lesion that its report does not mention."""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.assessment.case_context import suspected_on
from diagnosis.images.models import Image
from diagnosis.reports.content import answer_in_report, certainty_and_basis, settled_label
from diagnosis.reports.last_reported import LastReported, last_reported
from diagnosis.reports.models import Report
from diagnosis.reviews.answers import danger_of, danger_rank
from diagnosis.reviews.labelled_images import with_confirmed_label, with_suspicions

Row = dict[str, Any]
# Certainty and basis of a suspicion.
_UNSETTLED = {"certainty": "", "basis": "", "basis_words": ""}


@dataclass(frozen=True)
class OtherVisitFinding:
    """The current findings of other visits about a lesion in a report.

    Attributes:
        label: the most dangerous label or suspicion, in the report's format with ``visit_date``; ``suspected`` is true
            if reviews have not settled it. Empty if other visits have none.
        gone: reported labels of other visits that no longer hold: code and name of each.
    """

    lesion: str
    title: str
    place: str
    label: Row = field(default_factory=dict)
    gone: list[Row] = field(default_factory=list)

    @property
    def visit_date(self) -> datetime.date | None:
        return datetime.date.fromisoformat(self.label["visit_date"]) if self.label else None

    @property
    def is_suspected(self) -> bool:
        return bool(self.label.get("suspected"))

    @property
    def withdrawn_names(self) -> str:
        return ", ".join(label["name"] for label in self.gone)

    @property
    def withdraws_reassurance(self) -> bool:
        """Whether it reports danger or withdraws a benign label."""
        return bool(self.label) or any(not danger_rank(label["code"]) for label in self.gone)


def findings_of_other_visits(reports: Sequence[Report]) -> dict[UUID, list[OtherVisitFinding]]:
    """Return, by report, the findings of other visits that have not been reported. One query for all reports.

    These are confirmed or suspected dangers that were not reported, and reported labels that were withdrawn.
    """
    reported = {report.pk: last_reported(report) for report in reports}
    lesions = {UUID(lesion) for each in reported.values() for lesion in each.lesions}
    images = Image.objects.in_use().filter(lesion__in=lesions).select_related("label__review", "visit")
    images = with_suspicions(with_confirmed_label(images)).order_by("-visit__date", "-created_at", "pk")
    by_lesion: defaultdict[str, list[Image]] = defaultdict(list)
    for image in images if lesions else ():
        by_lesion[str(image.lesion_id)].append(image)
    return {
        report.pk: [
            finding
            for lesion in reported[report.pk].lesions
            if (finding := _finding(reported[report.pk], lesion, _from_other_visits(by_lesion[lesion], report)))
        ]
        for report in reports
    }


def _from_other_visits(images: Sequence[Image], report: Report) -> list[Image]:
    """Leaves out those of another patient, to whom the lesion may have been moved since."""
    patient = report.visit.patient_id
    return [image for image in images if image.visit_id != report.visit_id and image.visit.patient_id == patient]


def _finding(reported: LastReported, lesion_id: str, images: Sequence[Image]) -> OtherVisitFinding | None:
    current = max(_labels(images) + _suspicions(images), key=_weight, default={})
    gone = _gone(reported, lesion_id, images)
    if not gone and not _is_news(reported, lesion_id, current):
        return None
    lesion = reported.lesions[lesion_id]
    return OtherVisitFinding(lesion_id, lesion["title"], lesion["place"], current, gone)


def _is_news(reported: LastReported, lesion_id: str, current: Row) -> bool:
    if lesion_id in reported.elsewhere:
        return _key(current) != _key(reported.elsewhere[lesion_id]["label"])
    rank = danger_rank(current["code"]) if current else 0
    if rank <= reported.danger_rank(lesion_id):
        return False
    return not current["suspected"] or not reported.is_urgent(lesion_id, rank=rank)


def _weight(label: Row) -> tuple[int, bool, str]:
    """The sort key: the most dangerous first, confirmed before suspected, then the newest."""
    return danger_rank(label["code"]), not label["suspected"], label["visit_date"]


def _key(label: Row) -> tuple[str, bool]:
    return (label["code"], bool(label.get("suspected"))) if label else ("", False)


def _gone(reported: LastReported, lesion_id: str, images: Sequence[Image]) -> list[Row]:
    """The reported labels of other visits that no photograph has any more.

    A benign label replaced by another benign one is left out.
    """
    answers = {label.answer for image in images if (label := settled_label(image))}
    is_still_benign = any(danger_of(answer) is False for answer in answers)
    earlier = {label["code"]: label for label in reported.earlier_labels(lesion_id) if label["code"] not in answers}
    return [
        {"code": code, "name": label["name"]}
        for code, label in earlier.items()
        if danger_rank(code) or not is_still_benign
    ]


def _labels(images: Sequence[Image]) -> list[Row]:
    """Their labels that are or may be malignant, in the report's format."""
    rows = []
    for image in images:
        label = settled_label(image)
        if label is not None and danger_rank(label.answer):
            text = label.review.other_text if label.review else ""
            row = {**answer_in_report(label.answer, text), **certainty_and_basis(label)}
            rows.append({**row, "suspected": False, "visit_date": image.visit.date.isoformat()})
    return rows


def _suspicions(images: Sequence[Any]) -> list[Row]:
    """Unsettled suspicions of readers that are or may be malignant."""
    rows = []
    for image in images:
        if suspected := suspected_on(image):
            words = {"certainty_words": _("suspected, not yet settled"), "suspected": True}
            dated = {"visit_date": image.visit.date.isoformat()}
            rows.append({**answer_in_report(suspected.answer, suspected.text), **_UNSETTLED, **words, **dated})
    return rows
