"""Refuse unsupported request bodies by their headers, before anything reads them."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from dermascan.core.script_requests import is_script_request
from dermascan.problem_pages import problem_response

GetResponse = Callable[[HttpRequest], HttpResponse]

API = "/api/"
WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "TRACE")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")

COMPRESSED = _("The request body is compressed. Send it uncompressed, without a Content-Encoding.")
NO_FORM = _("Pages accept only forms. Send multipart/form-data or application/x-www-form-urlencoded.")
NO_LENGTH = _("The length of the request is missing. Send a Content-Length.")


class RequestBodiesMiddleware:
    """Returns 415 for bodies that are compressed or not a form, and 411 for bodies without a length.

    Each API endpoint decides for itself which media types it accepts.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in WITHOUT_BODY:
            return self.get_response(request)
        if request.headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
            response = _refuse(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", COMPRESSED)
            response["Accept-Encoding"] = "identity"
            return response
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length == "0" and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            return _refuse(request, HTTPStatus.LENGTH_REQUIRED, "length-required", NO_LENGTH)
        if length != "0" and request.content_type not in FORMS and not _is_for_the_api(request):
            return _refuse(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", NO_FORM)
        return self.get_response(request)


def _refuse(request: HttpRequest, status: int, code: str, detail: object) -> HttpResponse:
    if _is_for_the_api(request) or is_script_request(request):
        request.problem = (code, detail)  # type: ignore[attr-defined]
        return problem_response(request, status)
    # The session has not been read yet, so the page is rendered without a user.
    page = render_to_string(
        "refused_request.html",
        {"heading": _("The request could not be read"), "detail": detail, "status": int(status)},
    )
    return HttpResponse(page, status=status)


def _is_for_the_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)
