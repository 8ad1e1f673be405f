"""What a lesion turned out to be at another visit, for readers of a report that does not say so."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from diagnosis.answers import LabelState, is_malignant_answer
from diagnosis.models import ConfirmedLabel, Image, Report
from diagnosis.models.image import MALIGNANT

from .articles import is_malignant_lesion


def dangerous_elsewhere(reports: Sequence[Report]) -> dict[UUID, list[str]]:
    """Return the titles of the lesions of which other visits know danger and the report does not, by report.

    A report and its addenda that call the lesion malignant themselves have said it. One query for all.
    """
    unsaid = {report.pk: _not_called_malignant(report) for report in reports}
    asked = {lesion for lesions in unsaid.values() for lesion in lesions}
    labels = ConfirmedLabel.objects.filter(
        state=LabelState.SETTLED,
        answer__in=MALIGNANT,
        image__in=Image.objects.in_use(),
        image__lesion__in=asked,
    ).values_list("image__lesion_id", "image__visit_id")
    visits: dict[str, set[UUID]] = {}
    for lesion, visit in labels if asked else ():
        visits.setdefault(str(lesion), set()).add(visit)
    return {
        report.pk: [
            title for lesion, title in unsaid[report.pk].items() if visits.get(lesion, set()) - {report.visit_id}
        ]
        for report in reports
    }


def _not_called_malignant(report: Report) -> dict[str, str]:
    """The titles of a report's lesions that neither it nor an addendum calls malignant, by identifier."""
    told = {
        change["photograph"]
        for addendum in report.addenda.all()
        for change in json.loads(addendum.content).get("labels", ())
        if is_malignant_answer(change["now"]["code"])
    }
    return {
        lesion["id"]: lesion["title"] for lesion in json.loads(report.content)["lesions"] if not _is_told(lesion, told)
    }


def _is_told(lesion: dict[str, Any], told: set[str]) -> bool:
    return is_malignant_lesion({"earlier": [], **lesion}) or any(each["id"] in told for each in lesion["photographs"])
