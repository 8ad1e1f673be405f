"""The records that a correction touched, and the corrections and leftovers that a record's page tells of."""

from typing import Any

from diagnosis.corrections.models import Correction
from diagnosis.images.models import Image
from diagnosis.reports.models import Report
from diagnosis.reports.record_changes import record_changes_of
from patients.models import Lesion, Patient, RecordChange, Visit, VisitStatus

_IN_ORDER = ("patient", "visit", "lesion", "image")
_ROWS: dict[str, Any] = {
    "patient": Patient.objects.all(),
    "visit": Visit.objects.select_related("patient"),
    "lesion": Lesion.objects.select_related("patient"),
    "image": Image.objects.select_related("lesion__patient"),
}


def touched_records(correction: Correction) -> list[Any]:
    """Return the records that a correction touched and that are still there, patients first."""
    keys: dict[str, list[Any]] = {kind: [] for kind in _IN_ORDER}
    for kind, key in correction.records.values_list("kind", "record"):
        keys[kind].append(key)
    return [row for kind in _IN_ORDER for row in _ROWS[kind].filter(pk__in=keys[kind])]


def corrections_of(record: Patient | Visit | Lesion | Image) -> list[Correction]:
    """Return the corrections that touched ``record``, the newest first."""
    return list(Correction.objects.of(record).select_related("by__user", "undone_by__user"))


def void_visits_of(patient: Patient) -> list[Visit]:
    return list(patient.visits.filter(status=VisitStatus.VOID).select_related("clinician__user"))


def reports_with_old_details(patient: Patient) -> list[Report]:
    """Return the signed reports that name the patient otherwise than the record does now, and no addendum says so.

    Most records never change their name, birth date or number: for these it takes two small queries.
    """
    is_changed = any(
        {"given_name", "family_name", "birth_date", "record_number"} & set(changes)
        for changes in RecordChange.objects.of(patient).values_list("changes", flat=True)
    )
    if not is_changed and not patient.merged_records.exists():
        return []
    reports = list(
        Report.objects.filter(visit__patient=patient)
        .exclude(visit__status=VisitStatus.VOID)
        .select_related("visit__patient__clinic")
        .prefetch_related("addenda")
        .order_by("-visit__date")
    )
    changes = record_changes_of(reports)
    return [report for report in reports if any(change.is_of_patient for change in changes[report.pk])]
