"""Downloads of signed reports and addenda, for members of the clinic and for the patient."""

from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from diagnosis.reports.models import Addendum, Report, Withholding
from diagnosis.reports.models.report import Signed
from diagnosis.reports.report_view import still_malignant
from diagnosis.reports.signed import (
    ReportAltered,
    read_content,
    read_full_content,
    read_full_pdf,
    read_pdf,
    read_with_addenda,
)
from diagnosis.reports.validity import UnreportedChanges, lesions_looked_at_again, unreported_changes_of
from diagnosis.reviews.blinding import note_seen
from patients.middleware import ClinicRequest
from patients.privacy import names_the_patient

Kind = Literal["pdf", "json"]


@login_required
@names_the_patient
@require_safe
@never_cache
def report_file(request: ClinicRequest, report_id: UUID, kind: Kind) -> HttpResponse:
    """The report with its addenda; ``?as=signed`` gives the bytes of the original report."""
    report = get_object_or_404(_reports_of(request), pk=report_id)
    note_seen(request.member, report.visit.images.in_use())
    if instead := _page_instead_of_file(request, report):
        return instead
    if request.GET.get("as") == "signed":
        return _signed_file(request, report, kind)
    read = read_full_pdf if kind == "pdf" else read_full_content
    name = f"{_name(report)}-with-addenda" if report.addenda.exists() else _name(report)
    try:
        return file_response(read(report=report), name=name, kind=kind)
    except ReportAltered as altered:
        return altered_page(request, report, altered)


@login_required
@names_the_patient
@require_safe
@never_cache
def addendum_file(request: ClinicRequest, addendum_id: UUID, kind: Kind) -> HttpResponse:
    """An addendum together with its report."""
    addenda = Addendum.objects.select_related("report__visit__patient__clinic")
    addendum = get_object_or_404(addenda.filter(report__in=_reports_of(request)), pk=addendum_id)
    note_seen(request.member, addendum.report.visit.images.in_use())
    return _page_instead_of_file(request, addendum.report) or _signed_file(request, addendum, kind)


def page_instead_of_report(request: ClinicRequest, report: Report) -> HttpResponse | None:
    """The page that a patient sees instead of a report that they must not rely on; None if they may read it."""
    context: dict[str, Any] = {"report": report, "visit": report.visit, "clinic": report.visit.patient.clinic}
    if Report.objects.withheld_from(request.user).filter(pk=report.pk).exists():
        context["by_hand"] = report.withholdings.standing().first()
        return render(request, "reports/report_withheld.html", context, status=403)
    if again := lesions_looked_at_again([report])[report.pk]:
        try:
            context |= _still_valid_content(report, again)
        except ReportAltered as altered:
            return altered_page(request, report, altered)
        return render(request, "reports/looked_at_again.html", context, status=409)
    return None


def _still_valid_content(report: Report, again: set[str]) -> dict[str, Any]:
    """The part of a report that still holds while other lesions are checked: malignant lesions and their plan."""
    content, addenda = read_with_addenda(report=report)
    standing = still_malignant(content, again)
    return {
        "again": [lesion for lesion in content["lesions"] if lesion["id"] in again],
        "standing": standing,
        "addenda": addenda if standing else [],
        "plan_not_for": content["plan_not_for"],
        "plan": content["visit"]["plan"] if standing and not content["plan_replaced_on"] else "",
    }


def _reports_of(request: ClinicRequest) -> Any:
    """The reports that the member may read, or that were released to the patient."""
    reports = Report.objects.select_related("visit__patient__clinic")
    return reports.visible_to(request.member) if request.member else reports.ever_released_to(request.user)


def _page_instead_of_file(request: ClinicRequest, report: Report) -> HttpResponse | None:
    """A warning page instead of a file that must not be relied on. Members can still download it as signed."""
    if request.member:
        if request.GET.get("as") == "signed":
            return None
        unreported, withheld = unreported_changes_of(report), report.withholdings.standing().first()
        return _outdated_page(request, report, unreported, withheld) if withheld or unreported.is_misleading else None
    if instead := page_instead_of_report(request, report):
        return instead
    unreported = unreported_changes_of(report)
    return _outdated_page(request, report, unreported) if unreported.is_of_another_place else None


def _outdated_page(
    request: ClinicRequest, report: Report, unreported: UnreportedChanges, withheld: Withholding | None = None
) -> HttpResponse:
    context = {
        "report": report,
        "visit": report.visit,
        "patient": report.visit.patient,
        "unreported": unreported,
        "withheld": withheld,
    }
    return render(request, "reports/report_outdated.html", context, status=409)


def altered_page(request: ClinicRequest, record: Signed, altered: ReportAltered) -> HttpResponse:
    """The error page for a stored report that is not the one that was signed."""
    context = {"report": record, "message": str(altered)}
    return render(request, "reports/report_altered.html", context, status=409)


def file_response(content: bytes, *, name: str, kind: Kind, is_shown: bool = False) -> HttpResponse:
    """Return a file as a download, or inline if ``is_shown``."""
    disposition = "inline" if is_shown else "attachment"
    headers = {"Content-Disposition": f'{disposition}; filename="{name}.{kind}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=f"application/{kind}", headers=headers)


def _signed_file(request: ClinicRequest, record: Signed, kind: Kind) -> HttpResponse:
    """Return the signed PDF or content: exactly the bytes that were hashed."""
    read = read_pdf if kind == "pdf" else read_content
    try:
        return file_response(read(record=record), name=_name(record), kind=kind)
    except ReportAltered as altered:
        return altered_page(request, record, altered)


def _name(record: Signed) -> str:
    """A file name without the patient's name, since download folders are often shared."""
    report = record.report if isinstance(record, Addendum) else record
    assert isinstance(report, Report)
    name = f"skin-report-{report.visit.date.isoformat()}-{report.pk.hex[:8]}"
    return f"{name}-addendum-{record.number}" if isinstance(record, Addendum) else name
