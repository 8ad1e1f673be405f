from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext
from rest_framework.authtoken import admin as _registers_its_own  # noqa: F401
from rest_framework.authtoken.models import TokenProxy

from patients.models import ApiToken, Revocation, Role

from .scope import ClinicFilter, ClinicScopedAdmin

# Its tokens were taken over; nothing reads that table any more.
admin.site.unregister(TokenProxy)


@admin.register(ApiToken)
class ApiTokenAdmin(ClinicScopedAdmin):
    """The tokens of a clinic. Their owners make them on the page “API tokens”; here they are seen and revoked."""

    view_roles = (Role.MANAGER,)
    list_display = ("name", "prefix", "member", "created_at", "expires_at", "last_used_on", "revoked_at", "clinic")
    list_filter = ("revoked_because", ("clinic", ClinicFilter))
    list_select_related = ("member__user", "clinic")
    search_fields = ("name", "prefix", "member__user__username", "member__user__last_name")
    date_hierarchy = "created_at"
    actions = ("revoke",)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Ask first whether they may look at tokens at all: Django first asks whether there is such a row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    @admin.action(description=gettext_lazy("Revoke"), permissions=["view"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        count = ApiToken.objects.filter(pk__in=tokens.values("pk")).revoke(because=Revocation.BY_HAND, by=request.user)
        text = ngettext("One token was revoked.", "%(count)d tokens were revoked.", count)
        messages.success(request, text % {"count": count})
