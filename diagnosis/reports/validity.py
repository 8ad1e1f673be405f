"""Whether a signed report still holds: all that is known otherwise since it, and its addenda, were signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from diagnosis.images.models import Image
from diagnosis.reports.changes_since_signing import (
    ExcludedPhotograph,
    LabelChange,
    exclusions_since_signing,
    label_changes_of,
    lesions_no_longer_benign,
    lesions_without_evidence,
)
from diagnosis.reports.models import Report
from diagnosis.reports.other_visits import OtherVisitFinding, findings_of_other_visits
from diagnosis.reports.record_changes import RecordChange, record_changes_of


@dataclass(frozen=True)
class Otherwise:
    """What the readers of a report were not told; false where it holds.

    Attributes:
        labels: photographs whose label is another.
        elsewhere: lesions that turned out to be malignant at another visit.
        record: corrected facts, such as the side of a lesion.
        excluded: photographs that no longer count.
    """

    labels: list[LabelChange]
    elsewhere: list[OtherVisitFinding]
    record: list[RecordChange]
    excluded: list[ExcludedPhotograph]

    def __bool__(self) -> bool:
        return bool(self.labels or self.elsewhere or self.record or self.excluded)

    @property
    def is_misleading(self) -> bool:
        """Whether its readers were told otherwise of the lesions or the visit, and not of the patient’s name alone."""
        record = [changed for changed in self.record if not changed.is_of_patient]
        return bool(self.labels or self.elsewhere or record or self.excluded)

    @property
    def shows_other_patient(self) -> bool:
        return any(removed.exclusion.shows_other_patient for removed in self.excluded)

    @property
    def is_of_another_place(self) -> bool:
        """Whether a lesion is on another side or site than its readers were told."""
        return any(changed.is_place for changed in self.record)


def otherwise_since(report: Report) -> Otherwise:
    return otherwise_among([report])[report.pk]


def otherwise_among(reports: Sequence[Report]) -> dict[UUID, Otherwise]:
    """The same of several, by their keys, in as many queries as for one; their addenda are best prefetched."""
    labels, elsewhere = label_changes_of(reports), findings_of_other_visits(reports)
    record, aside = record_changes_of(reports), exclusions_since_signing(reports)
    return {
        report.pk: Otherwise(labels[report.pk], elsewhere[report.pk], record[report.pk], aside[report.pk])
        for report in reports
    }


def lesions_looked_at_again(reports: Sequence[Report]) -> dict[UUID, set[str]]:
    """The identifiers of lesions that a report calls harmless, and reviews of its visit or another no longer do.

    Or by a photograph that was set aside since. Until an addendum says so, the patient reads only that they are being
    looked at again.
    """
    since, elsewhere, aside = (
        label_changes_of(reports),
        findings_of_other_visits(reports),
        exclusions_since_signing(reports),
    )
    return {
        report.pk: lesions_no_longer_benign(report, since[report.pk])
        | {found.lesion for found in elsewhere[report.pk] if found.withdraws_reassurance}
        | lesions_without_evidence(report, aside[report.pk])
        for report in reports
    }


def reports_that_say_otherwise(image: Image) -> list[Report]:
    """Return the signed reports whose readers were told otherwise of this photograph, or of its lesion, newest first.

    That of its own visit, where its label is another now; those of other visits, where the lesion turned out to be
    malignant.
    """
    with_lesion = Report.objects.filter(visit__images__lesion=image.lesion_id).distinct()
    reports = list(with_lesion.select_related("visit__patient__clinic").prefetch_related("addenda"))
    if not reports:
        return []
    labels, elsewhere = label_changes_of(reports), findings_of_other_visits(reports)
    found = [
        report
        for report in reports
        if any(since.image.pk == image.pk for since in labels[report.pk])
        or any(each.lesion == str(image.lesion_id) for each in elsewhere[report.pk])
    ]
    return sorted(found, key=lambda report: report.visit.date, reverse=True)
