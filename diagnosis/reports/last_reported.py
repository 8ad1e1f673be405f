"""What the readers of a signed report know from the report and its addenda."""

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
    """A label as it was last reported: its code and its name.

    Attributes:
        suspected: the name of a suspected diagnosis that is or may be malignant, if no label settles the malignancy.
        suspected_code: the answer code of that diagnosis.
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
    """The lesions and labels last reported.

    Attributes:
        lesions: the lesions in the report, by identifier.
        labels: the labels of photographs, by identifier; photographs without a label are left out.
        elsewhere: the newest finding of other visits in the addenda, by lesion.
    """

    lesions: dict[str, Row]
    labels: dict[str, ReportedLabel]
    elsewhere: dict[str, Row]

    @property
    def not_called_malignant(self) -> dict[str, Row]:
        """The lesions that were not reported as malignant or pre-malignant."""
        return {key: lesion for key, lesion in self.lesions.items() if self.danger_rank(key) < PRE_MALIGNANT}

    def danger_rank(self, lesion: str) -> int:
        """The highest reported rank of the lesion's labels, as ``answers.danger_rank``."""
        own = (self.labels.get(each["id"], NO_LABEL).code for each in self.lesions[lesion]["photographs"])
        earlier = (label["code"] for label in self.earlier_labels(lesion))
        return max(map(danger_rank, (*own, *earlier)), default=0)

    def earlier_labels(self, lesion: str) -> list[Row]:
        """The reported labels of a lesion from other visits."""
        return labels_of_other_visits(self.lesions[lesion], self.elsewhere.get(lesion))

    def is_urgent(self, lesion: str, photograph: str = "", *, rank: int = PRE_MALIGNANT) -> bool:
        """Whether the software's answer to a photograph is reported as urgent.

        For a photograph that is not in the report, any photograph of its lesion counts. False if a benign label
        answers the photograph or a malignant label overrides the software: readers rely on the label.

        Args:
            rank: the danger rank in question; below pre-malignant, the middle tier is urgent enough.
        """
        if self.danger_rank(lesion) >= PRE_MALIGNANT:
            return False
        photographs = self.lesions[lesion]["photographs"]
        own = [each for each in photographs if each["id"] == photograph] or photographs
        tiers = {Tier.URGENT} if rank >= PRE_MALIGNANT else {Tier.URGENT, Tier.WATCH}
        return any(_tiers(each) & tiers for each in own if not self._is_labelled_benign(each["id"]))

    def reports_suspicion(self, photograph: str) -> bool:
        """Whether the report says that a dermatologist suspects malignancy on a photograph."""
        photographs = (each for lesion in self.lesions.values() for each in lesion["photographs"])
        return any(each["id"] == photograph and (each["assessment"] or {}).get("suspicions") for each in photographs)

    def _is_labelled_benign(self, photograph: str) -> bool:
        label = self.labels.get(photograph, NO_LABEL)
        return bool(label.code) and danger_of(label.code) is False


def last_reported(report: Report) -> LastReported:
    """Return what the report and its addenda say; prefetch the addenda."""
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
    """The confirmed labels of a lesion from other visits, corrected by an addendum's ``row``.

    Suspicions and withdrawn labels are left out.
    """
    earlier = list(lesion.get("earlier", ()))
    if row is None:
        return earlier
    gone = {label["code"] for label in row.get("gone", ())}
    label = row["label"]
    confirmed = [label] if label and not label.get("suspected") else []
    return [*confirmed, *(each for each in earlier if each["code"] not in gone)]


def suspected_at_another_visit(row: Row | None) -> Row | None:
    """The label in an addendum's ``row`` if it is only suspected at another visit, else None."""
    label: Row | None = row["label"] if row else None
    return label if label and label.get("suspected") else None


def titles_in_danger(content: Row) -> list[str]:
    """The titles of lesions for which an addendum reports danger: a label that is not benign, or a suspicion."""
    labels = (row["lesion"] for row in content["labels"] if danger_rank(row["now"]["code"]) or _is_suspected(row))
    elsewhere: Iterable[str] = (row["title"] for row in content.get("elsewhere", ()) if row["label"])
    return list(dict.fromkeys([*labels, *elsewhere]))


def _is_suspected(row: Row) -> bool:
    return bool(row["now"].get("suspected"))


def _tiers(photograph: Row) -> set[str]:
    assessment = photograph["assessment"] or {}
    return {tier for name in ("tier", "tone") if (tier := assessment.get(name))}
