"""What holds for every answer of the site."""

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


# What monitoring on the same machine asks for. It knows the port and not the site's name, and speaks no HTTPS.
PROBES = ("/metrics", "/api/v1/status/")


class LocalProbesMiddleware:
    """Let this machine itself ask for health and figures under any name and without HTTPS.

    Only what comes over the loopback and through no proxy: visitors are answered as everywhere else.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES and request.method in ("GET", "HEAD") and is_this_machine(request):
            request.META["HTTP_HOST"] = _own_name()
            request.META["wsgi.url_scheme"] = "https"
        return self.get_response(request)


def _own_name() -> str:
    """Return a host name that is allowed here."""
    names = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return names[0] if names else "localhost"


class FormCharsetMiddleware:
    """Read every form as UTF-8, whatever charset it claims.

    Browsers send these pages nothing else. Django would raise on reading a form that claims another one, and again
    while it builds the page that says so, since that reads the form too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (request.content_params or {}).get("charset"):
            request.encoding = "utf-8"
        return self.get_response(request)


class FormAddressesMiddleware:
    """Say that there is no page where an address only takes a form, and lead nobody there who signs in."""

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
    """Let no browser keep what a signed-in person saw: the next one at the desk has a back button."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        said = response.get("Cache-Control", "")
        if request.user.is_authenticated and not ("no-store" in said or "public" in said):
            response["Cache-Control"] = "no-store, private"
        return response
