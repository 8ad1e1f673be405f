"""What holds for every answer of the site."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


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


class PrivatePagesMiddleware:
    """Let no browser keep what a signed-in person saw: the next one at the desk has a back button."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response and request.user.is_authenticated:
            response["Cache-Control"] = "no-store, private"
        return response
