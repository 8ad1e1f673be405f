"""Permissions of the API: members of a clinic only. The querysets' ``visible_to`` decides what they see."""

from typing import Any, cast

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from patients.middleware import current_member
from patients.models import ApiToken, Member


class IsMember(BasePermission):
    """Allows members, with a token or a browser session; patients get 403."""

    message = _("The API is for members of a clinic.")

    def has_permission(self, request: Request, view: Any) -> bool:
        # The middleware sets the member of a session only; a token has just been read with its own.
        request.member = request.auth.member if isinstance(request.auth, ApiToken) else current_member(request)  # type: ignore
        return request.member is not None  # type: ignore[attr-defined]


def member_of(request: Request) -> Member:
    """Return the member who sent the request, once ``IsMember`` has allowed it."""
    return cast(Member, request.member)  # type: ignore[attr-defined]
