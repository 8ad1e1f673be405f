"""The admin as a clinic sees it: its own rows, and what the role allows.

Permissions hang on the member's role and not on Django's permission tables, so there is one place that says who may
do what. A tuple of roles names the members who may; a superuser may whatever somebody may; ``NOBODY`` keeps even
superusers out, because clinical history is never deleted and is only changed through the services.
"""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from patients.admin.long_lists import LongList
from patients.middleware import current_member
from patients.models import Member, Patient, Role

NOBODY: tuple[Role, ...] | None = None
OPERATORS: tuple[Role, ...] = ()  # superusers alone
CLINICIANS = (Role.DERMATOLOGIST, Role.MANAGER)


def member_of(request: HttpRequest) -> Member | None:
    """The member that the middleware found, also where a request did not pass through it."""
    return request.member if hasattr(request, "member") else current_member(request)


class RoleGate:
    """Permissions by role, for model admins and inlines alike. By default the admin only shows."""

    view_roles: tuple[Role, ...] | None = CLINICIANS
    add_roles: tuple[Role, ...] | None = NOBODY
    change_roles: tuple[Role, ...] | None = NOBODY
    delete_roles: tuple[Role, ...] | None = NOBODY

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, self.view_roles)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, self.view_roles)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, self.add_roles)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, self.change_roles)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, self.delete_roles)

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        """The record's own page, straight; the admin site has none of Django's redirects by content type."""
        return obj.get_absolute_url() if obj is not None and hasattr(obj, "get_absolute_url") else None

    def _allows(self, request: HttpRequest, roles: tuple[Role, ...] | None) -> bool:
        user = request.user
        if roles is None or not (user.is_active and getattr(user, "is_staff", False)):
            return False
        if getattr(user, "is_superuser", False):
            return True
        member = member_of(request)
        return member is not None and member.role in roles


class PatientSearch(LongList):
    """A list that is searched by patients' names and numbers as the clinic's own list is."""

    # The way to the patient whose name or number is searched; "" where the rows are patients, None where none is.
    patient_path: str | None = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find patients as the clinic's own list finds them, beside what ``search_fields`` name."""
        if self.patient_path is None or not search_term:
            return super().get_search_results(request, queryset, search_term)
        patients = scoped(Patient.objects.all(), request).matching(search_term)  # type: ignore[attr-defined]
        theirs = Q(**{f"{self.patient_path or 'pk'}__in": patients.order_by().values("pk")})
        others, _may_repeat = super().get_search_results(request, self.model._default_manager.all(), search_term)
        return queryset.filter(theirs | Q(pk__in=others.order_by().values("pk"))), False


class ClinicScopedAdmin(RoleGate, PatientSearch):
    """A model whose manager has ``visible_to(member)``. Lists, searches and choices hold the clinic's rows alone.

    None has Django's date hierarchy, which truncates the date of every row to find the days there are.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scoped(super().get_queryset(request), request)

    def get_list_display(self, request: HttpRequest) -> Any:
        """The column that says which clinic is for those who see more than one."""
        columns = super().get_list_display(request)
        if getattr(request.user, "is_superuser", False):
            return columns
        return [column for column in columns if column != "clinic"]

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", choices(db_field.related_model, request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", choices(db_field.related_model, request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class ReadOnlyInline(RoleGate, admin.TabularInline):
    """Rows shown with what they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True


class ClinicFilter(admin.RelatedOnlyFieldListFilter):
    """Filter by a related row; the choices are those that occur in the rows that the member may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin) -> Any:
        occurring = model_admin.get_queryset(request).order_by().values(f"{self.field_path}__pk")
        rows = field.related_model._default_manager.filter(pk__in=occurring)
        if field.related_model is Member:
            rows = rows.select_related("user")  # a member's name is their account's
        return [(str(row.pk), str(row)) for row in rows]


def patient_cell(patient: Patient) -> SafeString:
    """Return a patient's name and record number for a column of a list; the number is broken nowhere."""
    return format_html('{} <span class="whole">({})</span>', patient.name, patient.record_number)


def scoped(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Return the rows of the clinic of whoever asks; a superuser without a clinic of their own sees every clinic's."""
    if getattr(request.user, "is_superuser", False):
        return rows
    return rows.visible_to(member_of(request))  # type: ignore[attr-defined]


def choices(model: type[Model], request: HttpRequest) -> QuerySet[Any]:
    """Return what may be chosen of ``model``: nothing of a model that does not know clinics, save for superusers."""
    rows = model._default_manager.all()
    if getattr(request.user, "is_superuser", False):
        return rows
    return rows.visible_to(member_of(request)) if hasattr(rows, "visible_to") else rows.none()
