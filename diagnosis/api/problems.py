"""Errors of the API as problem details (RFC 9457): ``application/problem+json``."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from dermascan.core.errors import Refused
from dermascan.core.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from dermascan.core.storage_faults import storage_fault
from diagnosis.api.authentication import ExpiredToken
from diagnosis.api.image_links import image_link
from diagnosis.assessment.errors import AlreadyUploaded
from mlmodel.pictures import picture as pictures
from mlmodel.releases.release_files import ReleaseError
from patients.services.visits import VisitIsClosed

logger = logging.getLogger(__name__)

# The detail for errors that do not bring one.
_ADVICE: dict[str, Any] = {
    "invalid": gettext_lazy("Correct the marked fields and send the request again."),
    "malformed": gettext_lazy("The request could not be read. Build it as described in /api/docs/ and send it again."),
    "permission-denied": gettext_lazy("Your role does not allow this. Ask a manager of the clinic."),
    "not-found": gettext_lazy(
        "Check the address and the identifiers. Records of other clinics are reported as not found."
    ),
    "visit-is-closed": gettext_lazy(
        "No more photographs can be added to this visit. Send the identifier of another visit, or none."
    ),
    "too-large": gettext_lazy("Send fewer or smaller photographs."),
    "too-many-files": gettext_lazy("Send fewer files at once."),
    "method-not-allowed": gettext_lazy("Use a method described in /api/docs/, or open the page in a browser."),
    "unsupported-media-type": gettext_lazy("Send a form in UTF-8 or JSON, as described in /api/docs/."),
    "server-error": gettext_lazy(
        "The error was logged for the operator. Try again; if it persists, report the time to the operator."
    ),
    "engine-unavailable": gettext_lazy(
        "Nothing was stored. Try again in a minute; if it persists, tell the operator."
    ),
}

# The most specific class first.
_KIND_OF: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ParseError, "malformed"),
    (exceptions.ValidationError, "invalid"),
    (exceptions.NotAuthenticated, "not-authenticated"),
    (ExpiredToken, "token-expired"),
    (exceptions.AuthenticationFailed, "authentication-failed"),
    (exceptions.PermissionDenied, "permission-denied"),
    (PermissionDenied, "permission-denied"),
    (exceptions.NotFound, "not-found"),
    (Http404, "not-found"),
    (exceptions.MethodNotAllowed, "method-not-allowed"),
    (exceptions.NotAcceptable, "not-acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported-media-type"),
    (exceptions.Throttled, "throttled"),
    (VisitIsClosed, "visit-is-closed"),
    (AlreadyUploaded, "already-uploaded"),
    (Refused, "refused"),
    (RequestDataTooBig, "too-large"),
    (TooManyFilesSent, "too-many-files"),
    (TooManyFieldsSent, "malformed"),
    (MultiPartParserError, "malformed"),
    (UnreadablePostError, "malformed"),
    (SuspiciousOperation, "malformed"),
    (ReleaseError, "engine-unavailable"),
)


class Problem(Exception):
    """An error with a code of ``KINDS``, a detail for the reader, and extension members."""

    def __init__(self, code: str, detail: Any = "", **members: Any) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.members = members


def problem_details(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the response to ``error``; DRF calls this for every exception that an API view raises."""
    request = context.get("request")
    problem = describe(error, instance=request.path if request else "")
    if isinstance(error, exceptions.UnsupportedMediaType):
        kinds = ", ".join(parser.media_type for parser in getattr(context.get("view"), "parser_classes", ()))
        problem["detail"] += " " + _("Accepted media types: %(kinds)s.") % {"kinds": kinds}
    if problem["status"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
        report_server_error(error, request)
    set_rollback()
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if "retry_after" in problem:
        headers["Retry-After"] = str(problem["retry_after"])
    return Response(problem, status=problem["status"], headers=headers, content_type=MEDIA_TYPE)


def describe(error: Exception, *, instance: str) -> dict[str, Any]:
    """Return the problem detail of ``error``: type, title, status, detail, instance, code and extension members."""
    code, detail, members = _read(error)
    status, title = KINDS[code]
    return {
        "type": TYPE_PREFIX + code,
        "title": str(title),
        "status": status,
        "detail": str(detail or _ADVICE.get(code) or title),
        "instance": instance,
        "code": code,
        **members,
    }


def report_server_error(error: Exception, request: Any) -> None:
    """Log a server error with its traceback, and signal it to Django's listeners (tests, error reporters)."""
    logger.error("The API failed.", exc_info=error)
    if not isinstance(error, ReleaseError) and storage_fault(error) is None:
        got_request_exception.send(sender=None, request=getattr(request, "_request", request))


def _read(error: Exception) -> tuple[str, Any, dict[str, Any]]:
    """Return code, detail and extension members."""
    if isinstance(error, Problem):
        return error.code, error.detail, error.members
    if isinstance(error, pictures.PictureError):
        return error.code, error.text.translated(_), {}
    code = next((code for kind, code in _KIND_OF if isinstance(error, kind)), "server-error")
    if code == "server-error" and (fault := storage_fault(error)):
        return fault.code, fault.message, {}
    match error:
        case exceptions.ValidationError():
            return code, _("Correct the fields named in “errors” and send the request again."), _fields(error)
        case exceptions.Throttled():
            retry_after = int(getattr(error, "wait", None) or 1)
            detail = ngettext(
                "Wait %(seconds)d second, then send the request again.",
                "Wait %(seconds)d seconds, then send the request again.",
                retry_after,
            )
            return code, detail % {"seconds": retry_after}, {"retry_after": retry_after}
        case exceptions.APIException():
            return code, error.detail, {}
        case AlreadyUploaded():
            return code, error.message, {"image": image_link(error.existing)}
        case VisitIsClosed():
            pass  # a program needs other advice than a person
        case Refused():
            return code, error.message, {}
    # Django's messages for the rest are meant for developers.
    return code, "", {}


def _fields(error: exceptions.ValidationError) -> dict[str, Any]:
    detail = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
    return {"errors": {field: _messages(messages) for field, messages in detail.items()}}


def _messages(value: Any) -> list[str]:
    """Return a serializer's messages for one field as a flat list."""
    if isinstance(value, dict):
        return [message for inner in value.values() for message in _messages(inner)]
    if isinstance(value, list):
        return [message for inner in value for message in _messages(inner)]
    return [str(value)]
