"""Parsers for request bodies. A body that cannot be read is a client error, never a server error."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from dermascan.core.multipart import EveryPartOfARequest
from diagnosis.api.problems import Problem
from mlmodel.pictures.picture_errors import MAX_BYTES

MEGABYTE = 1024 * 1024
# One photograph and its form fields.
PHOTOGRAPH_REQUEST_BYTES = MAX_BYTES + MEGABYTE
PHOTOGRAPHS_REQUEST_BYTES = settings.UPLOAD_MAX_REQUEST_BYTES
TEXT_REQUEST_BYTES = 64 * 1024


def refuse_unreadable(request: Request, *, limit: int) -> None:
    """Refuse a body that is too long or not in UTF-8, judging by the headers alone.

    Compressed bodies and those without a length are refused earlier, in dermascan.request_bodies.
    """
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > limit:
        raise Problem(
            "too-large", _("A request may have at most %(megabytes)g MB.") % {"megabytes": _megabytes(limit)}
        )
    if (request.encoding or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise UnsupportedMediaType(request.content_type, _("Send text as UTF-8."))


class FormParser(parsers.MultiPartParser):
    """Multipart forms. Malformed part headers, such as an unknown encoding, become a ParseError."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        (parser_context or {})["request"].upload_handlers = [EveryPartOfARequest()]
        try:
            return super().parse(stream, media_type, parser_context)
        except (LookupError, ValueError) as error:
            raise ParseError(_("The form could not be read. Send it as multipart/form-data.")) from error


class JSONParser(parsers.JSONParser):
    """JSON. Excessive nesting becomes a ParseError."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error


def _megabytes(count: int) -> float:
    return round(count / MEGABYTE, 2)
