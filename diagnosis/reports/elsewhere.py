"""What a lesion turned out to be at another visit, for readers of a report that does not say so."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from diagnosis.answers import LabelState, is_malignant_answer
from diagnosis.models import ConfirmedLabel, Image, Report
from diagnosis.models.image import MALIGNANT

from .articles import is_malignant_lesion
from .content import answer_in_report, certainty_and_basis


@dataclass(frozen=True)
class FoundElsewhere:
    """A lesion of a report that was named malignant or pre-malignant at another visit.

    Attributes:
        label: as a report tells it, with ``visit_date``.
    """

    lesion: str
    title: str
    place: str
    label: dict[str, Any]

    @property
    def visit_date(self) -> datetime.date:
        return datetime.date.fromisoformat(self.label["visit_date"])


def found_elsewhere(reports: Sequence[Report]) -> dict[UUID, list[FoundElsewhere]]:
    """Return the lesions of which other visits know danger and the report does not, by report.

    A report and its addenda that call the lesion malignant themselves have said it. One query for all.
    """
    unsaid = {report.pk: not_called_malignant(report) for report in reports}
    asked = {lesion for lesions in unsaid.values() for lesion in lesions}
    labels = (
        ConfirmedLabel.objects.filter(
            state=LabelState.SETTLED,
            answer__in=MALIGNANT,
            image__in=Image.objects.in_use(),
            image__lesion__in=asked,
        )
        .select_related("review", "image__visit")
        .order_by("-image__visit__date", "-settled_after")
    )
    known: dict[str, list[ConfirmedLabel]] = {}
    for label in labels if asked else ():
        known.setdefault(str(label.image.lesion_id), []).append(label)
    return {report.pk: _of_report(report, unsaid[report.pk], known) for report in reports}


def _of_report(
    report: Report, unsaid: dict[str, dict[str, Any]], known: dict[str, list[ConfirmedLabel]]
) -> list[FoundElsewhere]:
    """The newest label of each of its lesions that is of another visit."""
    found = []
    for number, lesion in unsaid.items():
        others = [label for label in known.get(number, ()) if label.image.visit_id != report.visit_id]
        if others:
            found.append(FoundElsewhere(number, lesion["title"], lesion["place"], _told(others[0])))
    return found


def _told(label: ConfirmedLabel) -> dict[str, Any]:
    text = label.review.other_text if label.review else ""
    return {
        **answer_in_report(label.answer, text),
        **certainty_and_basis(label),
        "visit_date": label.image.visit.date.isoformat(),
    }


def not_called_malignant(report: Report) -> dict[str, dict[str, Any]]:
    """A report's lesions that neither it nor an addendum calls malignant, by identifier."""
    addenda = [json.loads(addendum.content) for addendum in report.addenda.all()]
    photographs = {
        change["photograph"]
        for addendum in addenda
        for change in addendum["labels"]
        if is_malignant_answer(change["now"]["code"])
    }
    lesions = {row["lesion"] for addendum in addenda for row in addendum.get("elsewhere", ())}
    return {
        lesion["id"]: lesion
        for lesion in json.loads(report.content)["lesions"]
        if lesion["id"] not in lesions and not _is_told(lesion, photographs)
    }


def _is_told(lesion: dict[str, Any], told: set[str]) -> bool:
    return is_malignant_lesion({"earlier": [], **lesion}) or any(each["id"] in told for each in lesion["photographs"])
