"""Which networks this installation knows. Shown to whoever may use the admin; changed by nobody here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from mlmodel.models import ModelVersion


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    list_display = ("name", "status", "created_at", "sha256")
    list_filter = ("status",)
    search_fields = ("name", "sha256", "backbone_sha256", "head_sha256")
    date_hierarchy = "created_at"
    fields = ("name", "status", "created_at", "sha256", "backbone_sha256", "head_sha256", "card")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _works_in_the_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _works_in_the_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _works_in_the_admin(request: HttpRequest) -> bool:
    return request.user.is_active and getattr(request.user, "is_staff", False)
