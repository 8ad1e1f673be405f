"""What is known of a lesion by other visits, for readers of a report that does not say so."""

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
# Certainty and basis of what nobody has settled.
_OPEN = {"certainty": "", "basis": "", "basis_words": ""}


@dataclass(frozen=True)
class OtherVisitFinding:
    """A lesion of a report, and what other visits say of it now.

    Attributes:
        label: what is, or may be, malignant, as a report tells a label, with ``visit_date``; ``suspected`` is true of
            what reviews have not settled. Empty where nothing of the kind is named there any more.
        gone: labels of other visits that readers were told and that no longer hold: code and name of each.
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
        """Whether it tells danger, or that something harmless is not said any more."""
        return bool(self.label) or any(not danger_rank(label["code"]) for label in self.gone)


def findings_of_other_visits(reports: Sequence[Report]) -> dict[UUID, list[OtherVisitFinding]]:
    """Return by report the lesions of which other visits say another thing than readers were told. One query for all.

    That is danger, named or suspected, where they were told of none, and labels that were taken back since.
    """
    told = {report.pk: last_reported(report) for report in reports}
    lesions = {UUID(lesion) for each in told.values() for lesion in each.lesions}
    images = Image.objects.in_use().filter(lesion__in=lesions).select_related("label__review", "visit")
    images = with_suspicions(with_confirmed_label(images)).order_by("-visit__date", "-created_at", "pk")
    by_lesion: defaultdict[str, list[Image]] = defaultdict(list)
    for image in images if lesions else ():
        by_lesion[str(image.lesion_id)].append(image)
    return {
        report.pk: [
            found
            for number in told[report.pk].lesions
            if (found := _found(told[report.pk], number, _of_others(by_lesion[number], report)))
        ]
        for report in reports
    }


def _of_others(images: Sequence[Image], report: Report) -> list[Image]:
    return [image for image in images if image.visit_id != report.visit_id]


def _found(told: LastReported, number: str, images: Sequence[Image]) -> OtherVisitFinding | None:
    now = max(_labels(images) + _suspicions(images), key=_weight, default={})
    gone = _gone(told, number, images)
    if not gone and not _is_news(told, number, now):
        return None
    lesion = told.lesions[number]
    return OtherVisitFinding(number, lesion["title"], lesion["place"], now, gone)


def _is_news(told: LastReported, number: str, now: Row) -> bool:
    if number in told.elsewhere:
        return _key(now) != _key(told.elsewhere[number]["label"])
    rank = danger_rank(now["code"]) if now else 0
    if rank <= told.danger_rank(number):
        return False
    return not now["suspected"] or not told.is_urgent(number, rank=rank)


def _weight(label: Row) -> tuple[int, bool, str]:
    """What leads: the most dangerous, what is confirmed before what is suspected, and the newest."""
    return danger_rank(label["code"]), not label["suspected"], label["visit_date"]


def _key(label: Row) -> tuple[str, bool]:
    return (label["code"], bool(label.get("suspected"))) if label else ("", False)


def _gone(told: LastReported, number: str, images: Sequence[Image]) -> list[Row]:
    """The labels of other visits that readers were told and that no photograph has any more.

    One harmless name for another is no news to them.
    """
    held = {label.answer for image in images if (label := settled_label(image))}
    is_harmless_still = any(danger_of(answer) is False for answer in held)
    earlier = {label["code"]: label for label in told.earlier_labels(number) if label["code"] not in held}
    return [
        {"code": code, "name": label["name"]}
        for code, label in earlier.items()
        if danger_rank(code) or not is_harmless_still
    ]


def _labels(images: Sequence[Image]) -> list[Row]:
    """Their labels that are or may be malignant, as a report tells them."""
    found = []
    for image in images:
        label = settled_label(image)
        if label is not None and danger_rank(label.answer):
            text = label.review.other_text if label.review else ""
            told = {**answer_in_report(label.answer, text), **certainty_and_basis(label)}
            found.append({**told, "suspected": False, "visit_date": image.visit.date.isoformat()})
    return found


def _suspicions(images: Sequence[Any]) -> list[Row]:
    """What is or may be malignant on them by a reader's word that reviews have not settled."""
    found = []
    for image in images:
        if suspected := suspected_on(image):
            words = {"certainty_words": _("suspected, not settled"), "suspected": True}
            dated = {"visit_date": image.visit.date.isoformat()}
            found.append({**answer_in_report(suspected.answer, suspected.text), **_OPEN, **words, **dated})
    return found
