"""Admin classes that show each clinic only its own rows, with permissions by role.

Permissions depend on the member's role and not on Django's permission tables, so that they are defined in one place.
A tuple names the roles that have a permission; superusers have every permission that any role has. ``NOBODY`` denies
it even to superusers, because clinical history is never deleted and is changed only through the services.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, ForeignKey, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from patients.admin.long_lists import LongList
from patients.middleware import current_member
from patients.models import Member, Patient, Role
from patients.privacy import shown_name, shown_number

NOBODY: tuple[Role, ...] | None = None
FEW_PATIENTS = 500
OPERATORS: tuple[Role, ...] = ()  # superusers only
CLINICIANS = (Role.DERMATOLOGIST, Role.MANAGER)


def member_of(request: HttpRequest) -> Member | None:
    """Return the request's member, even if the request did not go through the middleware."""
    return request.member if hasattr(request, "member") else current_member(request)


class RoleGate:
    """Permissions by role, for model admins and inlines. By default everything is read-only."""

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
        """Return the URL of the record's own page; this admin site has no redirect view by content type."""
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
    """An admin list that can be searched by patient name and record number, as the clinic's patient list can."""

    # Lookup path from the row to its patient: "" if the rows are patients, None for no patient search.
    patient_path: str | None = None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Match patients as the clinic's patient list does, in addition to ``search_fields``."""
        if self.patient_path is None or not search_term:
            return super().get_search_results(request, queryset, search_term)
        patients = scoped(Patient.objects.all(), request).matching(search_term)  # type: ignore[attr-defined]
        keys = patients.order_by().values_list("pk", flat=True)
        # Few patients are named by their keys, so that only their rows are read.
        few = list(keys[: FEW_PATIENTS + 1])
        path = f"{self.patient_path or 'pk'}__in"
        by_patient = Q(**{path: few if len(few) <= FEW_PATIENTS else keys.values("pk")})
        own = {f"{self.patient_path}__record_number", "record_number"}
        if set(self.search_fields) <= own:
            return queryset.filter(by_patient), False  # a record number is among what ``matching`` looks at
        by_field, _may_repeat = super().get_search_results(request, self.model._default_manager.all(), search_term)
        return queryset.filter(by_patient | Q(pk__in=by_field.order_by().values("pk"))), False


class ClinicScopedAdmin(RoleGate, PatientSearch):
    """Admin of a model whose manager has ``visible_to(member)``: lists, searches and choices are the clinic's own.

    Subclasses with many rows avoid ``date_hierarchy``, which truncates the date of every row.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scoped(super().get_queryset(request), request)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; only superusers see the clinic column, as others see a single clinic."""
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
    """Related rows, shown read-only."""

    extra = 0
    can_delete = False
    show_change_link = True


class ClinicFilter(admin.RelatedOnlyFieldListFilter):
    """A filter by a related row; its choices are those that occur in rows which the member may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin) -> Any:
        # One row of each is looked for, instead of reading them all.
        listed = model_admin.get_queryset(request).order_by().filter(**{self.field_path: OuterRef("pk")})
        rows = field.related_model._default_manager.filter(Exists(listed))
        if field.related_model is Member:
            rows = rows.select_related("user")  # a member's name is their account's
        return [(str(row.pk), str(row)) for row in rows]


def patient_cell(patient: Patient) -> SafeString:
    """Return a patient's name and record number for a list column; the number does not wrap."""
    return format_html('{} <span class="whole">({})</span>', shown_name(patient), shown_number(patient))


def history_link(name: str, record: Model) -> SafeString | str:
    """Return a link to the record's history; a dash for a record that is being added."""
    if record._state.adding:
        return "–"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[record.pk]), _("Every change"))


def scoped(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Return the rows that the requesting user may see: their clinic's, or every clinic's for a superuser."""
    if getattr(request.user, "is_superuser", False):
        return rows
    return rows.visible_to(member_of(request))  # type: ignore[attr-defined]


def choices(model: type[Model], request: HttpRequest) -> QuerySet[Any]:
    """Return the rows of ``model`` that the user may choose: only superusers may choose of models without clinics."""
    rows = model._default_manager.all()
    if getattr(request.user, "is_superuser", False):
        return rows
    return rows.visible_to(member_of(request)) if hasattr(rows, "visible_to") else rows.none()
