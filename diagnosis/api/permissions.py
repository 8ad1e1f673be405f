"""Who may use the API: members of a clinic. What they see is decided by the querysets' ``visible_to``."""

from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from patients.middleware import current_member
from patients.models import Member


class IsMember(BasePermission):
    """Let in members, whether they come with a token or with the browser's session; patients get 403."""

    message = _("The API is for members of a clinic.")

    def has_permission(self, request: Request, view: Any) -> bool:
        # The middleware knows only the session's user; a token's user is known from here on.
        request.member = current_member(request) if request.user.is_authenticated else None  # type: ignore
        return request.member is not None  # type: ignore[attr-defined]


def member_of(request: Request) -> Member:
    """The member who asks, once ``IsMember`` has let them in."""
    return cast(Member, request.member)  # type: ignore[attr-defined]
