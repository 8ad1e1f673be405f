"""Middleware that adds the signed-in member to the request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from patients import privacy
from patients.models import Member


class ClinicRequest(HttpRequest):
    """A request that went through ``CurrentMemberMiddleware``."""

    member: Member | None
    htmx: HtmxDetails


class MemberRequest(ClinicRequest):
    """A request from a member of a clinic: what ``require_role`` lets through without ``operator``."""

    member: Member


class CurrentMemberMiddleware:
    """Sets ``request.member``: the user's membership of a clinic, or None for visitors and patients.

    Within it, pages hide who patients are if the member has switched privacy mode on; see ``patients.privacy``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = current_member(request)  # type: ignore[attr-defined]
        with privacy.switched(request.member is not None and bool(request.session.get(privacy.SESSION_KEY))):  # type: ignore[attr-defined]
            return self.get_response(request)


def current_member(request: HttpRequest) -> Member | None:
    if not request.user.is_authenticated:
        return None
    return Member.objects.select_related("clinic", "user").filter(user=request.user).first()
