"""What a script is answered where a person would see a page: problem documents (RFC 9457), as the API's are."""

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

# By status: the code, and what to do about it.
_PROBLEMS = {
    400: ("malformed", gettext_lazy("Load the page again, then try once more.")),
    401: ("not-authenticated", gettext_lazy("You are signed out. Sign in, then go on.")),
    403: (
        "permission-denied",
        gettext_lazy("You may not do this. If you should be able to, ask your clinic’s manager."),
    ),
    404: ("not-found", gettext_lazy("It is not there, or it is not your clinic’s.")),
    405: ("method-not-allowed", ""),
    409: ("refused", ""),
    413: ("too-large", gettext_lazy("That is too much at once. Send fewer or smaller files.")),
    415: ("unsupported-media-type", ""),
    422: ("invalid", ""),
    429: ("throttled", gettext_lazy("That was a lot in a short time. Wait a moment, then try again.")),
    500: ("server-error", gettext_lazy("Try again. If it happens again, tell whoever runs this installation.")),
    503: ("unavailable", gettext_lazy("Try again in a minute.")),
}


class ScriptRequestsMiddleware:
    """Turn error pages, and redirects to the sign-in page, into problem documents where a script asked.

    It stands around all others, so that what they refuse (a form's token, a body that is too large) and what goes
    wrong in them is answered in the same way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not is_script_request(request):
            return response
        if _leads_to_signing_in(response):
            is_known = getattr(request, "user", None) is not None and request.user.is_authenticated
            return problem_response(request, HTTPStatus.FORBIDDEN if is_known else HTTPStatus.UNAUTHORIZED)
        if response.status_code < HTTPStatus.BAD_REQUEST or not _is_a_page(response):
            return response
        if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and "HX-Request" in request.headers:
            return response  # a form with its errors, which htmx shows
        return problem_response(request, response.status_code, instead_of=response)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember why a view refused: the page that says so is thrown away."""
        if isinstance(exception, PermissionDenied):
            request.refusal = str(exception)  # type: ignore[attr-defined]


def problem_response(request: HttpRequest, status: int, *, instead_of: HttpResponse | None = None) -> HttpResponse:
    known = _PROBLEMS.get(status)
    code, detail = known or (_PROBLEMS[500] if status >= 500 else _PROBLEMS[400])
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
    # The page that it stands for may be in the log already; Django notes that so.
    response._has_been_logged = getattr(instead_of, "_has_been_logged", False)  # type: ignore[attr-defined]
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Session realm="DermaScan"'
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["Accept", "HX-Request", "X-Requested-With", "Sec-Fetch-Dest", "Sec-Fetch-Mode"])
    return response


def sign_in_address(request: HttpRequest, address: str = "") -> str:
    """Where to sign in, and come back from to the page that asked: by its script, or by a form."""
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
