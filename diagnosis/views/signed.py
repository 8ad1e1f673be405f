"""Hand out what was signed, reports and addenda, to the clinic's members and to the patient it was released to."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from diagnosis.models import Addendum, Report
from diagnosis.models.report import Signed
from diagnosis.services.signed import ReportAltered, read_content, read_pdf
from patients.middleware import ClinicRequest


@login_required
@require_safe
@never_cache
def report_pdf(request: ClinicRequest, report_id: UUID) -> HttpResponse:
    """The PDF as it was signed."""
    return _pdf(request, _readable_report(request, report_id))


@login_required
@require_safe
@never_cache
def report_json(request: ClinicRequest, report_id: UUID) -> HttpResponse:
    """The content as it was signed: exactly the bytes that were hashed."""
    return _json(request, _readable_report(request, report_id))


@login_required
@require_safe
@never_cache
def addendum_pdf(request: ClinicRequest, addendum_id: UUID) -> HttpResponse:
    return _pdf(request, _readable_addendum(request, addendum_id))


@login_required
@require_safe
@never_cache
def addendum_json(request: ClinicRequest, addendum_id: UUID) -> HttpResponse:
    return _json(request, _readable_addendum(request, addendum_id))


def altered_page(request: ClinicRequest, record: Signed, altered: ReportAltered) -> HttpResponse:
    """Say loudly that what is stored is not what was signed, and whom to tell."""
    context = {"report": record, "message": str(altered)}
    return render(request, "diagnosis/report_altered.html", context, status=409)


def pdf_response(pdf: bytes, *, name: str, is_shown: bool = False) -> HttpResponse:
    """A PDF to keep, or one to look at in the browser."""
    return _file(pdf, name=name, media_type="application/pdf", how="inline" if is_shown else "attachment")


def _pdf(request: ClinicRequest, record: Signed) -> HttpResponse:
    try:
        return pdf_response(read_pdf(record=record), name=f"{_name(record)}.pdf")
    except ReportAltered as altered:
        return altered_page(request, record, altered)


def _json(request: ClinicRequest, record: Signed) -> HttpResponse:
    try:
        content = read_content(record=record)
    except ReportAltered as altered:
        return altered_page(request, record, altered)
    return _file(content, name=f"{_name(record)}.json", media_type="application/json", how="attachment")


def _name(record: Signed) -> str:
    """Download folders are shared and synchronised: the name says when, not who."""
    report = record.report if isinstance(record, Addendum) else record
    assert isinstance(report, Report)
    name = f"skin-report-{report.visit.date.isoformat()}-{report.pk.hex[:8]}"
    return f"{name}-addendum-{record.number}" if isinstance(record, Addendum) else name


def _file(content: bytes, *, name: str, media_type: str, how: str) -> HttpResponse:
    headers = {"Content-Disposition": f'{how}; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=media_type, headers=headers)


def _readable_report(request: ClinicRequest, report_id: UUID) -> Report:
    return _readable(request, Report.objects.select_related("visit"), report_id)


def _readable_addendum(request: ClinicRequest, addendum_id: UUID) -> Addendum:
    return _readable(request, Addendum.objects.select_related("report__visit"), addendum_id)


def _readable(request: ClinicRequest, records: Any, record_id: UUID) -> Any:
    member = request.member
    return get_object_or_404(records.visible_to(member) if member else records.released_to(request.user), pk=record_id)
