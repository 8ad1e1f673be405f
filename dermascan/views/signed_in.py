"""The current session, which scripts of long-open pages check before they send a form."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dermascan.problem_pages import problem_response


@never_cache
@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Return the user and a CSRF token, or 401."""
    if not request.user.is_authenticated:
        return problem_response(request, HTTPStatus.UNAUTHORIZED)
    return JsonResponse({"user": str(request.user.pk), "csrf_token": get_token(request)})
