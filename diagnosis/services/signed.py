"""Hand out what was signed, and nothing else: every reading is checked against the hash."""

import hashlib
import logging

from django.utils.translation import gettext as _

from diagnosis.models.report import Signed
from diagnosis.reports.content import content_sha256
from diagnosis.services.errors import Refused

log = logging.getLogger(__name__)


class ReportAltered(Refused):
    """What is stored is not what was signed."""

    code = "report_altered"

    def __init__(self) -> None:
        super().__init__(
            _("This report is not what was signed: its file is missing or was changed. Do not rely on it.")
        )


def read_pdf(*, record: Signed) -> bytes:
    """Return the PDF as it was signed. Raises ``ReportAltered`` if it is gone or not the same to the byte."""
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
    """Return the content as it was signed: the very bytes that were hashed. Raises ``ReportAltered``."""
    if content_sha256(record.content) != record.content_sha256:
        log.error("The content of %s %s was altered after signing.", record._meta.model_name, record.pk)
        raise ReportAltered
    return record.content.encode()
