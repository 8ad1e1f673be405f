from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from patients.admin.scope import ClinicFilter, ClinicScopedAdmin, member_of
from patients.models import ApiToken, Revocation, Role


@admin.register(ApiToken)
class ApiTokenAdmin(ClinicScopedAdmin):
    """A clinic's API tokens, to view and revoke. Members create them on the “API tokens” page."""

    view_roles = (Role.MANAGER,)
    list_display = ("name", "prefix", "member", "created_at", "expires_at", "last_used_on", "revoked_at", "clinic")
    list_filter = ("revoked_because", ("clinic", ClinicFilter))
    list_select_related = ("member__user", "clinic")
    search_fields = ("name", "prefix", "member__user__username", "member__user__last_name")
    date_hierarchy = "created_at"
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """Return all of the clinic's tokens; ``view_roles`` decides who may see them."""
        rows = ApiToken.objects.all()
        if getattr(request.user, "is_superuser", False):
            return rows
        member = member_of(request)
        return rows.filter(clinic=member.clinic_id) if member else rows.none()

    @admin.action(description=gettext_lazy("Revoke"), permissions=["view"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        count = ApiToken.objects.filter(pk__in=tokens.values("pk")).revoke(because=Revocation.BY_HAND, by=request.user)
        text = ngettext("One token was revoked.", "%(count)d tokens were revoked.", count)
        messages.success(request, text % {"count": count})
