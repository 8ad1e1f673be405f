"""Whether a signed report is still valid: what has changed since it and its addenda were signed."""

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
from diagnosis.reports.course_changes import course_changes_of
from diagnosis.reports.models import Report
from diagnosis.reports.other_visits import OtherVisitFinding, findings_of_other_visits
from diagnosis.reports.record_changes import RecordChange, record_changes_of


@dataclass(frozen=True)
class UnreportedChanges:
    """The changes that a report and its addenda do not contain; falsy if there are none.

    Attributes:
        labels: photographs whose label has changed.
        elsewhere: dangers and withdrawn labels of other visits.
        record: corrected facts, such as the side of a lesion; then other next steps and laboratory results.
        excluded: photographs that were excluded.
    """

    labels: list[LabelChange]
    elsewhere: list[OtherVisitFinding]
    record: list[RecordChange]
    excluded: list[ExcludedPhotograph]

    def __bool__(self) -> bool:
        return bool(self.labels or self.elsewhere or self.record or self.excluded)

    @property
    def is_misleading(self) -> bool:
        """Whether anything other than the patient’s own details has changed."""
        record = [change for change in self.record if not change.is_of_patient]
        return bool(self.labels or self.elsewhere or record or self.excluded)

    @property
    def shows_other_patient(self) -> bool:
        is_excluded = any(each.exclusion.shows_other_patient for each in self.excluded)
        return is_excluded or any(change.is_in_another_record for change in self.record)

    @property
    def is_of_another_place(self) -> bool:
        """Whether the side or site of a lesion was corrected."""
        return any(change.is_place for change in self.record)


def unreported_changes_of(report: Report) -> UnreportedChanges:
    return unreported_changes_among([report])[report.pk]


def unreported_changes_among(reports: Sequence[Report]) -> dict[UUID, UnreportedChanges]:
    """Return the changes of several reports, by key, in a fixed number of queries; prefetch their addenda."""
    labels, elsewhere = label_changes_of(reports), findings_of_other_visits(reports)
    record, excluded = record_changes_of(reports), exclusions_since_signing(reports)
    course = course_changes_of(reports)
    return {
        report.pk: UnreportedChanges(
            labels[report.pk], elsewhere[report.pk], record[report.pk] + course[report.pk], excluded[report.pk]
        )
        for report in reports
    }


def lesions_looked_at_again(reports: Sequence[Report]) -> dict[UUID, set[str]]:
    """Return, by report, the identifiers of lesions that it calls benign without support from current records.

    A review at any visit contradicts the report, or the photograph was excluded. Until an addendum reports the change,
    the patient reads only that these lesions are being looked at again.
    """
    changes, elsewhere = label_changes_of(reports), findings_of_other_visits(reports)
    excluded = exclusions_since_signing(reports)
    return {
        report.pk: lesions_no_longer_benign(report, changes[report.pk])
        | {finding.lesion for finding in elsewhere[report.pk] if finding.withdraws_reassurance}
        | lesions_without_evidence(report, excluded[report.pk])
        for report in reports
    }


def reports_contradicted_by(image: Image) -> list[Report]:
    """Return the signed reports that the photograph's current label contradicts, newest first.

    These are the report of its own visit if the label has changed, and reports of other visits of the same lesion if
    a danger or a withdrawn label was not reported.
    """
    with_lesion = Report.objects.filter(visit__images__lesion=image.lesion_id).distinct()
    reports = list(with_lesion.select_related("visit__patient__clinic").prefetch_related("addenda"))
    if not reports:
        return []
    labels, elsewhere = label_changes_of(reports), findings_of_other_visits(reports)
    outdated = [
        report
        for report in reports
        if any(change.image.pk == image.pk for change in labels[report.pk])
        or any(each.lesion == str(image.lesion_id) for each in elsewhere[report.pk])
    ]
    return sorted(outdated, key=lambda report: report.visit.date, reverse=True)
