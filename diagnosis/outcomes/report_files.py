"""The laboratory's report as a file: what may be sent, recognised by its bytes and never by its name."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from dermascan.core.multipart import UNNAMED, printable_name
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import MAX_BYTES, NotAPicture, PictureError

PDF = "application/pdf"
# A PDF begins with its version and ends with this mark, which some programs follow with a few bytes of their own.
_PDF_BEGINS, _PDF_ENDS, _PDF_TAIL = b"%PDF-", b"%%EOF", 2048


class FileRefused(Refused):
    """The file cannot be kept as a laboratory's report; the message says what to send instead."""

    code = "report_file_refused"


@dataclass(frozen=True)
class ReportFile:
    """A file that was checked."""

    data: bytes
    name: str
    media_type: str

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def read_report_file(upload: UploadedFile) -> ReportFile:
    """Return the file that was sent, checked: a whole PDF, or a picture that can be opened.

    Raises:
        FileRefused: it is empty, too large, damaged or something else.
    """
    data = upload.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        words = _("The file is larger than %(limit)d MB. Scan it with a lower resolution, then send it.")
        raise FileRefused(words % {"limit": MAX_BYTES // 1024**2})
    name = printable_name(upload.name)
    name = _("report") if name == UNNAMED else name
    if data.startswith(_PDF_BEGINS):
        if _PDF_ENDS not in data[-_PDF_TAIL:]:
            raise FileRefused(_("The PDF is damaged or incomplete. Save it again, then send the new copy."))
        return ReportFile(data, name, PDF)
    try:
        return ReportFile(data, name, decode(data).media_type)
    except NotAPicture as error:
        raise FileRefused(
            _("This is neither a PDF nor a picture. Send the report as a PDF or as a photograph.")
        ) from error
    except PictureError as error:
        raise FileRefused(error.text.translated(_)) from error
