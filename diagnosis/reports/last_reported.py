"""What the readers of a signed report were told last: by the report, and by each addendum after it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from diagnosis.images.models import Tier
from diagnosis.reports.models import Report
from diagnosis.reviews.answers import PRE_MALIGNANT, danger_of, danger_rank
from diagnosis.reviews.review_words import label_in_words

Row = dict[str, Any]


@dataclass(frozen=True)
class ReportedLabel:
    """A label as readers of the report were told it: what it is, and the words for it.

    Attributes:
        suspected: what is, or may be, malignant and a dermatologist named, where no label says how dangerous it is.
        suspected_code: the answer that names it.
    """

    code: str
    name: str
    suspected: str = ""
    suspected_code: str = ""

    @property
    def words(self) -> str:
        return label_in_words(self.name, self.suspected)


NO_LABEL = ReportedLabel("", "")


@dataclass(frozen=True)
class LastReported:
    """All of it.

    Attributes:
        lesions: as the report has them, by identifier.
        labels: of photographs, by identifier; those without a label are left out.
        elsewhere: what addenda say of other visits, the newest row of each lesion.
    """

    lesions: dict[str, Row]
    labels: dict[str, ReportedLabel]
    elsewhere: dict[str, Row]

    @property
    def not_called_malignant(self) -> dict[str, Row]:
        """The lesions that readers were not told to be malignant or pre-malignant, as far as they were told last."""
        return {number: lesion for number, lesion in self.lesions.items() if self.danger_rank(number) < PRE_MALIGNANT}

    def danger_rank(self, lesion: str) -> int:
        """How much danger readers were told last that labels name, as ``answers.danger_rank``."""
        own = (self.labels.get(each["id"], NO_LABEL).code for each in self.lesions[lesion]["photographs"])
        earlier = (label["code"] for label in self.earlier_labels(lesion))
        return max(map(danger_rank, (*own, *earlier)), default=0)

    def earlier_labels(self, lesion: str) -> list[Row]:
        """What readers were told that a lesion was confirmed as at other visits."""
        return labels_of_other_visits(self.lesions[lesion], self.elsewhere.get(lesion))

    def is_urgent(self, lesion: str, photograph: str = "", *, rank: int = PRE_MALIGNANT) -> bool:
        """Whether the report's answer to a photograph is urgent; of one that it does not hold, any of its lesion.

        Not where a harmless label has answered it, or a malignant one silences it: those are what readers rely on.

        Args:
            rank: of the danger that asks for haste; the middle tier is enough for what only may be malignant.
        """
        if self.danger_rank(lesion) >= PRE_MALIGNANT:
            return False
        photographs = self.lesions[lesion]["photographs"]
        own = [each for each in photographs if each["id"] == photograph] or photographs
        tiers = {Tier.URGENT} if rank >= PRE_MALIGNANT else {Tier.URGENT, Tier.WATCH}
        return any(_tiers(each) & tiers for each in own if not self._is_called_harmless(each["id"]))

    def reports_suspicion(self, photograph: str) -> bool:
        """Whether the report says of a photograph that a dermatologist suspects danger."""
        photographs = (each for lesion in self.lesions.values() for each in lesion["photographs"])
        return any(each["id"] == photograph and (each["assessment"] or {}).get("suspicions") for each in photographs)

    def _is_called_harmless(self, photograph: str) -> bool:
        label = self.labels.get(photograph, NO_LABEL)
        return bool(label.code) and danger_of(label.code) is False


def last_reported(report: Report) -> LastReported:
    """Read it from the report and its addenda, which are best prefetched."""
    lesions = {lesion["id"]: lesion for lesion in json.loads(report.content)["lesions"]}
    labels = {
        photograph["id"]: ReportedLabel(photograph["confirmed"]["code"], photograph["confirmed"]["name"])
        for lesion in lesions.values()
        for photograph in lesion["photographs"]
        if photograph["confirmed"]
    }
    elsewhere = {}
    for addendum in sorted(report.addenda.all(), key=lambda each: each.number):
        content = json.loads(addendum.content)
        for change in content["labels"]:
            now = change["now"]
            suspected = now.get("suspected", ""), now.get("suspected_code", "")
            labels[change["photograph"]] = ReportedLabel(now["code"], now["name"], *suspected)
        for row in content.get("elsewhere", ()):
            elsewhere[row["lesion"]] = row
    return LastReported(lesions, labels, elsewhere)


def labels_of_other_visits(lesion: Row, row: Row | None) -> list[Row]:
    """What a report's lesion was confirmed as at other visits, put right by an addendum's ``row`` of it.

    What is only suspected is no label; what was taken back is none any more.
    """
    earlier = list(lesion.get("earlier", ()))
    if row is None:
        return earlier
    gone = {label["code"] for label in row.get("gone", ())}
    label = row["label"]
    found = [label] if label and not label.get("suspected") else []
    return [*found, *(each for each in earlier if each["code"] not in gone)]


def suspected_at_another_visit(row: Row | None) -> Row | None:
    """What is, or may be, malignant and an addendum's ``row`` says is suspected at another visit."""
    label: Row | None = row["label"] if row else None
    return label if label and label.get("suspected") else None


def titles_in_danger(content: Row) -> list[str]:
    """The lesions of which an addendum tells danger: a label that is not harmless, of any visit, or a suspicion."""
    labels = (row["lesion"] for row in content["labels"] if danger_rank(row["now"]["code"]) or _is_suspected(row))
    elsewhere: Iterable[str] = (row["title"] for row in content.get("elsewhere", ()) if row["label"])
    return list(dict.fromkeys([*labels, *elsewhere]))


def _is_suspected(row: Row) -> bool:
    return bool(row["now"].get("suspected"))


def _tiers(photograph: Row) -> set[str]:
    assessment = photograph["assessment"] or {}
    return {tier for name in ("tier", "tone") if (tier := assessment.get(name))}
