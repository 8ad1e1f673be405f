"""Problem documents (RFC 9457) for scripts, in place of the error pages that people see."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy

from dermascan.core.problems import MEDIA_TYPE
from dermascan.core.script_requests import is_script_request
from diagnosis.api.problems import Problem, describe

GetResponse = Callable[[HttpRequest], HttpResponse]

# The code and the advice, by status.
_PROBLEMS = {
    400: ("malformed", gettext_lazy("Reload the page, then try again.")),
    401: ("not-authenticated", gettext_lazy("You are signed out. Sign in, then continue.")),
    403: (
        "permission-denied",
        gettext_lazy("You may not do this. If you need access, ask your clinic’s manager."),
    ),
    404: ("not-found", gettext_lazy("It does not exist, or it belongs to another clinic.")),
    405: ("method-not-allowed", ""),
    409: ("refused", ""),
    413: ("too-large", gettext_lazy("The request is too large. Send fewer or smaller files.")),
    415: ("unsupported-media-type", ""),
    422: ("invalid", ""),
    429: ("throttled", gettext_lazy("Too many requests in a short time. Wait a moment, then try again.")),
    500: ("server-error", gettext_lazy("Try again. If it happens again, tell the people who run this installation.")),
    503: ("unavailable", gettext_lazy("Try again in a minute.")),
}


class ScriptRequestsMiddleware:
    """Turns error pages, and redirects to the sign-in page, into problem documents for requests made by scripts.

    It wraps the other middleware, so that their refusals (a form's token, a body that is too large) and errors are
    converted too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_script_request(request):
            return response
        if _leads_to_signing_in(response):
            is_signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
            return problem_response(request, HTTPStatus.FORBIDDEN if is_signed_in else HTTPStatus.UNAUTHORIZED)
        if response.status_code < HTTPStatus.BAD_REQUEST or not _is_a_page(response):
            return response
        if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and "HX-Request" in request.headers:
            return response  # a form with its errors, which htmx shows
        return problem_response(request, response.status_code, instead_of=response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Store the reason of a refusal, because the page that contains it is replaced."""
        if isinstance(exception, PermissionDenied):
            request.refusal = str(exception)  # type: ignore[attr-defined]


def problem_response(request: HttpRequest, status: int, *, instead_of: HttpResponse | None = None) -> HttpResponse:
    code, detail = _PROBLEMS.get(status) or (_PROBLEMS[500] if status >= 500 else _PROBLEMS[400])
    code, detail = getattr(request, "problem", None) or (code, getattr(request, "refusal", "") or detail)
    members: dict[str, object] = {}
    retry_after = instead_of.get("Retry-After", "") if instead_of is not None else ""
    if retry_after.isdecimal():
        members["retry_after"] = int(retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        members["sign_in"] = sign_in_address(request)
    problem = describe(Problem(code, detail, **members), instance=request.path)
    problem["status"] = status
    response = JsonResponse(problem, status=status, content_type=MEDIA_TYPE)
    if retry_after:
        response["Retry-After"] = retry_after
    if instead_of is not None and "Allow" in instead_of:
        response["Allow"] = instead_of["Allow"]
    # Django's marker that the replaced page has already been logged.
    response._has_been_logged = getattr(instead_of, "_has_been_logged", False)  # type: ignore[attr-defined]
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Session realm="DermaScan"'
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept", "HX-Request", "X-Requested-With", "Sec-Fetch-Dest", "Sec-Fetch-Mode"])
    return response


def sign_in_address(request: HttpRequest, address: str = "") -> str:
    """Return the sign-in URL, with ``next`` set to the page from which a script or form sent the request."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    address = address or resolve_url(settings.LOGIN_URL)
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    if not page or not is_ours:
        return address
    parts = urlsplit(page)
    back = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return f"{address}?{urlencode({'next': back})}"


def _leads_to_signing_in(response: HttpResponse) -> bool:
    if not HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
        return False
    return urlsplit(response.get("Location", "")).path in _sign_in_paths()


def _sign_in_paths() -> set[str]:
    paths = {resolve_url(settings.LOGIN_URL)}
    for name in ("admin:login", "account_reauthenticate", "mfa_authenticate", "mfa_reauthenticate"):
        try:
            paths.add(reverse(name))
        except NoReverseMatch:
            continue
    return paths


def _is_a_page(response: HttpResponse) -> bool:
    return not response.streaming and response.get("Content-Type", "").startswith("text/html")
