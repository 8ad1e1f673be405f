from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from patients.admin.scope import OPERATORS, RoleGate
from patients.models import User


@admin.register(User)
class UserAdmin(RoleGate, DjangoUserAdmin):
    """Accounts across all clinics, for operators only. Superusers can be created only here.

    Accounts are deactivated rather than deleted, because records refer to them.
    """

    view_roles = OPERATORS
    add_roles = OPERATORS
    change_roles = OPERATORS
    list_display = ("username", "email", "first_name", "last_name", "clinic", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser", "member__role", "member__clinic")
    list_select_related = ("member__clinic", "patient__clinic")
    date_hierarchy = "date_joined"

    @admin.display(description="clinic")
    def clinic(self, user: User) -> str:
        owner = getattr(user, "member", None) or getattr(user, "patient", None)
        return owner.clinic.name if owner else ""
