"""Middleware for the whole site."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import resolve_url
from django.urls import reverse

from dermascan.core.client_address import is_this_machine
from dermascan.problem_pages import sign_in_address
from dermascan.views.errors import method_not_allowed

GetResponse = Callable[[HttpRequest], HttpResponse]


# URLs for monitoring on the same machine, which knows the port but not the host name and uses no HTTPS.
PROBES = ("/metrics", "/api/v1/status/")


class LocalProbesMiddleware:
    """Accepts health and metrics requests from this machine under any host name and without HTTPS.

    Only requests over the loopback interface and through no proxy; others are handled as usual.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES and request.method in ("GET", "HEAD") and is_this_machine(request):
            request.META["HTTP_HOST"] = _own_name()
            request.META["wsgi.url_scheme"] = "https"
        return self.get_response(request)


def _own_name() -> str:
    """Return an allowed host name."""
    names = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return names[0] if names else "localhost"


class FormCharsetMiddleware:
    """Reads every form as UTF-8, whatever charset it declares.

    Browsers send nothing else to these pages. Django raises an error for another charset, and again while it renders
    the error page, which reads the form too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (request.content_params or {}).get("charset"):
            request.encoding = "utf-8"
        return self.get_response(request)


class FormAddressesMiddleware:
    """Shows a page for GET requests to POST-only URLs, and never redirects to one after signing in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return method_not_allowed(request, response)
        if request.method == "POST" and "Location" in response:
            to = urlsplit(response["Location"])
            back = sign_in_address(request, to.path)
            if to.path in (resolve_url(settings.LOGIN_URL), reverse("admin:login")) and to.query and back != to.path:
                response["Location"] = back
        return response


class PrivatePagesMiddleware:
    """Keeps pages of signed-in users out of the browser cache: the next person could press the back button."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        cache_control = response.get("Cache-Control", "")
        if request.user.is_authenticated and not ("no-store" in cache_control or "public" in cache_control):
            response["Cache-Control"] = "no-store, private"
        return response
