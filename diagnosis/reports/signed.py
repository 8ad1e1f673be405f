"""Read signed reports and addenda. Every read is checked against the hash."""

import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.reports.addenda import render_full_pdf
from diagnosis.reports.addendum_content import SCHEMAS_WITHOUT_REPORT, present_addendum, with_later_labels
from diagnosis.reports.content import canonical_json, content_sha256
from diagnosis.reports.models import Report
from diagnosis.reports.models.report import Signed
from diagnosis.reports.record_changes import RecordChange
from diagnosis.reports.report_view import present

log = logging.getLogger(__name__)


class ReportAltered(Refused):
    """The stored report is not the one that was signed."""

    code = "report_altered"

    def __init__(self) -> None:
        super().__init__(
            _("This report is not the one that was signed: its file is missing or was changed. Do not rely on it.")
        )


def read_pdf(*, record: Signed) -> bytes:
    """Return the PDF as it was signed. Raises ``ReportAltered`` if it is missing or differs in any byte."""
    try:
        with record.pdf.open("rb") as file:
            pdf: bytes = file.read()
    except OSError as error:
        log.error("The PDF of %s %s cannot be read: %s", record._meta.model_name, record.pk, error)
        raise ReportAltered from error
    if hashlib.sha256(pdf).hexdigest() != record.pdf_sha256:
        log.error("The PDF of %s %s was altered after signing.", record._meta.model_name, record.pk)
        raise ReportAltered
    return pdf


def read_content(*, record: Signed) -> bytes:
    """Return the content as it was signed: exactly the bytes that were hashed. Raises ``ReportAltered``."""
    if content_sha256(record.content) != record.content_sha256:
        log.error("The content of %s %s was altered after signing.", record._meta.model_name, record.pk)
        raise ReportAltered
    return record.content.encode()


def read_with_addenda(
    *, report: Report, record: Sequence[RecordChange] = ()
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the report updated with its addenda, prepared for templates, and the addenda, newest first.

    Args:
        record: corrections that no addendum reports yet.

    Raises ``ReportAltered``.
    """
    content = json.loads(read_content(record=report))
    newest_first = sorted(report.addenda.all(), key=lambda each: -each.number)
    addenda = [present_addendum(json.loads(read_content(record=each))) for each in newest_first]
    return present(with_later_labels(content, addenda, record)), addenda


def read_full_pdf(*, report: Report) -> bytes:
    """Return the complete PDF: the report, or the newest addendum's PDF, which includes the report.

    The PDF of an old addendum without the report is made again with it. Raises ``ReportAltered``.
    """
    newest = report.addenda.order_by("-number").first()
    if newest is None:
        return read_pdf(record=report)
    if json.loads(read_content(record=newest))["schema"] not in SCHEMAS_WITHOUT_REPORT:
        return read_pdf(record=newest)
    read_content(record=report)
    return render_full_pdf(newest)


def read_full_content(*, report: Report) -> bytes:
    """Return the report's content as it was signed, together with its addenda if there are any.

    The canonical JSON of each part has the hash next to it. Raises ``ReportAltered``.
    """
    content = read_content(record=report)
    addenda = list(report.addenda.order_by("-number"))
    if not addenda:
        return content
    whole = {
        "schema": "dermascan-report-with-addenda/1",
        "added_on": addenda[0].signed_at.isoformat(),
        "addenda": [
            {"content": json.loads(read_content(record=each)), "content_sha256": each.content_sha256}
            for each in addenda
        ],
        "report": {"content": json.loads(content), "content_sha256": report.content_sha256},
    }
    return canonical_json(whole).encode()
