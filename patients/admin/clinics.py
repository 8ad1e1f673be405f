from django.contrib import admin

from patients.models import Clinic, Role

from .scope import OPERATORS, ClinicScopedAdmin


@admin.register(Clinic)
class ClinicAdmin(ClinicScopedAdmin):
    view_roles = (Role.MANAGER,)
    change_roles = (Role.MANAGER,)
    add_roles = OPERATORS
    list_display = ("name", "phone", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
