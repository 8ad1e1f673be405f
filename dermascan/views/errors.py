"""Error pages, which say what happened and what to do."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error as django_server_error

from dermascan.core.storage_faults import storage_fault
from patients.guessing import please_wait as too_many_requests

__all__ = ["csrf_failure", "method_not_allowed", "server_error", "too_large", "too_many_requests"]

# How much of a body that is too large is read and discarded, so that the browser shows the response.
DRAIN_BYTES = 64 * 1024 * 1024


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a failed CSRF check (settings.CSRF_FAILURE_VIEW)."""
    # For scripts, which get a problem document instead.
    request.problem = ("form-out-of-date", _("The page was open for too long. Reload it, then try again."))  # type: ignore[attr-defined]
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an unhandled exception (handler500), which Django has already logged."""
    fault = storage_fault(sys.exc_info()[1])
    if fault is None:
        return django_server_error(request)
    request.problem = (fault.code, fault.message)  # type: ignore[attr-defined]
    # Rendered without the request, because reading the user could fail too.
    page = render_to_string(
        "refused_request.html",
        {"heading": _("Nothing can be saved now"), "detail": fault.message, "status": fault.status},
    )
    return HttpResponse(page, status=fault.status)


def method_not_allowed(request: HttpRequest, response: HttpResponseNotAllowed) -> HttpResponse:
    """Add a page to ``response``, the 405 of a POST-only view, for which browsers show nothing."""
    if request.method == "GET":
        detail = _("This address only accepts a submitted form. Go back to the page with the form.")
        page = {"heading": _("There is no page here"), "detail": detail, "status": response.status_code}
        response.content = render_to_string("refused_request.html", page, request)
    return response


def too_large(request: HttpRequest, *, back: str) -> HttpResponse:
    """Return the 413 page for a body that is too large to read."""
    _drain(request)
    return render(request, "413.html", {"back": back}, status=413)


def _drain(request: HttpRequest) -> None:
    # Closing the connection while the client still sends would reset it, and the response would be lost.
    left = DRAIN_BYTES
    while left > 0 and (chunk := request.read(64 * 1024)):
        left -= len(chunk)
