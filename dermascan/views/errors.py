"""What visitors see when something cannot be done: what happened, and what to do."""

import sys

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error as django_server_error

from dermascan.core.storage_faults import storage_fault
from patients.guessing import please_wait as too_many_requests

__all__ = ["csrf_failure", "method_not_allowed", "server_error", "too_large", "too_many_requests"]

# What is read and thrown away of a body that is too large, so that the browser gets to see the answer.
DRAIN_BYTES = 64 * 1024 * 1024


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """settings.CSRF_FAILURE_VIEW."""
    # For scripts, which get no page.
    request.problem = ("form-out-of-date", _("The page was open for long. Load it again, then try once more."))  # type: ignore[attr-defined]
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500, which Django calls while it handles what went wrong and has logged it."""
    fault = storage_fault(sys.exc_info()[1])
    if fault is None:
        return django_server_error(request)
    request.problem = (fault.code, fault.message)  # type: ignore[attr-defined]
    # Without the request: who is signed in could not be read either.
    page = render_to_string(
        "refused_request.html",
        {"heading": _("Nothing can be saved right now"), "detail": fault.message, "status": fault.status},
    )
    return HttpResponse(page, status=fault.status)


def method_not_allowed(request: HttpRequest, response: HttpResponseNotAllowed) -> HttpResponse:
    """Put a page into ``response``, the 405 of a view that only takes a form: a browser shows nothing of its own."""
    if request.method == "GET":
        detail = _("This address only takes what a form sends. Go back to the page that the form is on.")
        page = {"heading": _("There is no page here"), "detail": detail, "status": response.status_code}
        response.content = render_to_string("refused_request.html", page, request)
    return response


def too_large(request: HttpRequest, *, back: str) -> HttpResponse:
    """413 for a body that is too large to be looked at."""
    _drain(request)
    return render(request, "413.html", {"back": back}, status=413)


def _drain(request: HttpRequest) -> None:
    # A server that answers and closes while bytes still come in resets the connection, and the answer is lost.
    left = DRAIN_BYTES
    while left > 0 and (chunk := request.read(64 * 1024)):
        left -= len(chunk)
