"""Admin of the model versions of this installation, read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mlmodel.versions.models import ModelVersion


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    list_display = ("name", "status", "created_at", "sha256")
    list_filter = ("status",)
    search_fields = ("name", "sha256", "backbone_sha256", "head_sha256")
    date_hierarchy = "created_at"
    fields = ("name", "status", "created_at", "sha256", "backbone_sha256", "head_sha256", "parent", "decide", "card")

    @admin.display(description=gettext_lazy("Decide"))
    def decide(self, version: ModelVersion) -> str:
        """Return a link to the page on which a dermatologist promotes it or rolls back to it, with a reason."""
        return format_html('<a href="{}">{}</a>', reverse("version", args=[version.pk]), _("Promote or roll back…"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_active_staff(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_active_staff(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _is_active_staff(request: HttpRequest) -> bool:
    return request.user.is_active and getattr(request.user, "is_staff", False)
