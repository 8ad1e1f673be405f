"""Hand out what was signed, reports and addenda, to the clinic's members and to the patient it was released to."""

from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from diagnosis.models import Addendum, Report
from diagnosis.models.report import Signed
from diagnosis.reports.elsewhere import dangerous_elsewhere
from diagnosis.reports.since import reassuring_wrongly
from diagnosis.services.signed import ReportAltered, read_content, read_pdf, read_whole_content, read_whole_pdf
from patients.middleware import ClinicRequest

Kind = Literal["pdf", "json"]


@login_required
@require_safe
@never_cache
def report_file(request: ClinicRequest, report_id: UUID, kind: Kind) -> HttpResponse:
    """The report with all that was added to it; ``?as=signed`` gives the very bytes that were signed first."""
    report = _readable(request, Report.objects.select_related("visit__patient__clinic"), report_id)
    if not request.member and (reassuring_wrongly([report]) or dangerous_elsewhere([report])[report.pk]):
        return looked_at_again_page(request, report)
    if request.GET.get("as") == "signed":
        return _handed_out(request, report, kind)
    read = read_whole_pdf if kind == "pdf" else read_whole_content
    name = f"{_name(report)}-with-addenda" if report.addenda.exists() else _name(report)
    try:
        return file_response(read(report=report), name=name, kind=kind)
    except ReportAltered as altered:
        return altered_page(request, report, altered)


@login_required
@require_safe
@never_cache
def addendum_file(request: ClinicRequest, addendum_id: UUID, kind: Kind) -> HttpResponse:
    addenda = Addendum.objects.select_related("report__visit")
    return _handed_out(request, _readable(request, addenda, addendum_id), kind)


def altered_page(request: ClinicRequest, record: Signed, altered: ReportAltered) -> HttpResponse:
    """Say loudly that what is stored is not what was signed, and whom to tell."""
    context = {"report": record, "message": str(altered)}
    return render(request, "diagnosis/report_altered.html", context, status=409)


def looked_at_again_page(request: ClinicRequest, report: Report) -> HttpResponse:
    """Instead of a report that calms its patient although dermatologists have named something malignant since."""
    context = {"visit": report.visit, "clinic": report.visit.patient.clinic}
    return render(request, "diagnosis/looked_at_again.html", context)


def file_response(content: bytes, *, name: str, kind: Kind, is_shown: bool = False) -> HttpResponse:
    """A file to keep, or one to look at in the browser."""
    how = "inline" if is_shown else "attachment"
    headers = {"Content-Disposition": f'{how}; filename="{name}.{kind}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=f"application/{kind}", headers=headers)


def _handed_out(request: ClinicRequest, record: Signed, kind: Kind) -> HttpResponse:
    """The PDF as it was signed, or the content: exactly the bytes that were hashed."""
    read = read_pdf if kind == "pdf" else read_content
    try:
        return file_response(read(record=record), name=_name(record), kind=kind)
    except ReportAltered as altered:
        return altered_page(request, record, altered)


def _name(record: Signed) -> str:
    """Download folders are shared and synchronised: the name says when, not who."""
    report = record.report if isinstance(record, Addendum) else record
    assert isinstance(report, Report)
    name = f"skin-report-{report.visit.date.isoformat()}-{report.pk.hex[:8]}"
    return f"{name}-addendum-{record.number}" if isinstance(record, Addendum) else name


def _readable(request: ClinicRequest, records: Any, record_id: UUID) -> Any:
    member = request.member
    return get_object_or_404(records.visible_to(member) if member else records.released_to(request.user), pk=record_id)
