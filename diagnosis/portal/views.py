"""The patient's pages: their released visits in plain words, made only from signed content."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from diagnosis.assessment.chips import URGENT, WATCH, Chip
from diagnosis.reports.models import Report
from diagnosis.reports.record_changes import RecordChange, record_changes_of
from diagnosis.reports.report_chips import chips_of_report
from diagnosis.reports.report_view import still_malignant
from diagnosis.reports.signed import ReportAltered, read_with_addenda
from diagnosis.reports.validity import lesions_looked_at_again
from diagnosis.reports.views.signed import altered_page, page_instead_of_report
from patients.access import require_patient
from patients.audit import note_read
from patients.middleware import ClinicRequest
from patients.models import Patient
from patients.services import consent_states

VISITS_A_PAGE = 20


@require_patient
@require_safe
def my_visits(request: ClinicRequest) -> HttpResponse:
    """The patient's released visits, newest first."""
    reports = Report.objects.released_to(request.user).select_related("visit__patient__clinic", "signed_by__user")
    reports = reports.prefetch_related("addenda")
    reports = reports.annotate(added_at=Max("addenda__signed_at"))
    pages = Paginator(reports.order_by("-visit__date", "-signed_at"), VISITS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    patient = Patient.objects.select_related("clinic").get(user=request.user)  # type: ignore[misc]
    page_reports = list(page.object_list)
    note_read(patient, "reports", count=len(page_reports))
    again, record = lesions_looked_at_again(page_reports), record_changes_of(page_reports)
    rows = [_row(report, again=again[report.pk], record=record[report.pk]) for report in page_reports]
    context = {
        "page": page,
        "reports": [row["report"] for row in rows],
        "rows": rows,
        "clinic": patient.clinic,
        "withheld": [
            (report, report.withholdings.standing().first())
            for report in Report.objects.withheld_from(request.user).select_related("visit").order_by("-visit__date")
        ],
        "consents": consent_states(patient),
    }
    return render(request, "portal/my_visits.html", context)


@require_patient
@require_safe
def my_visit(request: ClinicRequest, visit_id: UUID) -> HttpResponse:
    """One released visit. Later reviews do not appear until the clinic chips an addendum."""
    reports = Report.objects.ever_released_to(request.user).select_related("visit__patient__clinic")
    report = get_object_or_404(reports, visit=visit_id)
    if instead := page_instead_of_report(request, report):
        return instead
    record = record_changes_of([report])[report.pk]
    try:
        content, addenda = read_with_addenda(report=report, record=record)
    except ReportAltered as altered:
        return altered_page(request, report, altered)
    context = {
        "report": report,
        "content": content,
        "visit": report.visit,
        "addenda": addenda,
        "record_since": record,
        "is_of_another_place": any(change.is_place for change in record),
    }
    return render(request, "portal/my_visit.html", context)


def _row(report: Report, *, again: set[str], record: Sequence[RecordChange]) -> dict[str, Any]:
    """A row of the list with chips and lesions; both are empty if the stored report was altered."""
    try:
        content, _addenda = read_with_addenda(report=report, record=record)
    except ReportAltered:
        return {"report": report, "chips": (), "lesions": []}
    if again:
        standing = chips_of_report({**content, "lesions": still_malignant(content, again)})
        looked_at = Chip("looked_at_again", WATCH, _("Being looked at again"))
        chips = (looked_at, *(chip for chip in standing if chip.tone == URGENT))
    else:
        chips = chips_of_report(content)
        if any(not change.is_of_patient for change in record):
            chips = (*chips, Chip("corrected_since", WATCH, _("Corrected since")))
    return {"report": report, "chips": chips, "lesions": content["lesions"]}
