"""Read-only admin of patients, visits, lesions and consents, which are created and changed on the clinic's pages."""

import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from patients.admin.scope import ClinicFilter, ClinicScopedAdmin, ReadOnlyInline
from patients.admin.symptoms import SymptomFilter, symptoms_in_words
from patients.models import Consent, Lesion, Patient, Visit
from patients.privacy import is_on, page_instead, shown_birth_date, shown_name, shown_number


class VisitInline(ReadOnlyInline):
    model = Visit
    fields = ("date", "complaint", "clinician", "status")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visit]:
        return super().get_queryset(request).select_related("clinician__user")


class NoticedColumn:
    @admin.display(description=_("first noticed"), ordering="noticed_on")
    def noticed(self, lesion: Lesion) -> str:
        return str(lesion.noticed or "–")


class LesionInline(NoticedColumn, ReadOnlyInline):
    model = Lesion
    fields = ("number", "body_site", "side", "noticed", "description")
    readonly_fields = fields


class AccountFilter(admin.SimpleListFilter):
    title = _("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("Has one")), ("no", _("Has none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Patient]) -> QuerySet[Patient]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(user__isnull=self.value() == "no")


@admin.register(Patient)
class PatientAdmin(ClinicScopedAdmin):
    list_display = (
        "name",
        "shown_record_number",
        "shown_born",
        "sex",
        "last_visit",
        "lesion_count",
        "has_account",
        "clinic",
    )
    list_filter = ("sex", "skin_type", AccountFilter, "created_at", ("clinic", ClinicFilter))
    list_select_related = ("clinic",)
    list_per_page = 50
    patient_path = ""
    search_fields = ("record_number",)
    search_help_text = _("Name or record number")
    inlines = (LesionInline, VisitInline)
    fieldsets = (
        (None, {"fields": ("clinic", "record_number", "given_name", "family_name", "birth_date", "sex", "skin_type")}),
        (_("Contact"), {"fields": ("email", "phone", "user")}),
        (_("Medical history"), {"fields": ("history",)}),
        (_("Record"), {"fields": ("created_by", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        patients = super().get_queryset(request)
        return patients.with_summary()  # type: ignore[attr-defined]

    @admin.display(description=_("name"), ordering="family_name")
    def name(self, patient: Patient) -> str:
        return shown_name(patient)

    @admin.display(description=_("record number"), ordering="record_number")
    def shown_record_number(self, patient: Patient) -> str:
        return shown_number(patient)

    @admin.display(description=_("birth date"), ordering="birth_date")
    def shown_born(self, patient: Patient) -> str:
        return shown_birth_date(patient)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return page_instead(request) if is_on() else super().change_view(request, *args, **kwargs)

    @admin.display(description=_("last visit"), ordering="last_visit", empty_value="–")
    def last_visit(self, patient: Patient) -> datetime.date | None:
        return patient.last_visit  # type: ignore[attr-defined]

    @admin.display(description=_("lesions"), ordering="lesion_count")
    def lesion_count(self, patient: Patient) -> int:
        return patient.lesion_count  # type: ignore[attr-defined]

    @admin.display(description=_("account"), boolean=True)
    def has_account(self, patient: Patient) -> bool:
        return patient.user_id is not None


@admin.register(Visit)
class VisitAdmin(ClinicScopedAdmin):
    list_display = ("date", "patient", "complaint", "clinician", "status")
    list_display_links = ("date", "complaint")
    list_filter = (
        "status",
        "date",
        SymptomFilter,
        ("clinician", ClinicFilter),
        ("patient__clinic", ClinicFilter),
    )
    list_select_related = ("patient", "clinician__user")
    list_per_page = 50
    search_fields = ("complaint",)
    patient_path = "patient"
    search_help_text = _("Patient's name or record number, or complaint")
    fieldsets = (
        (None, {"fields": ("patient", "date", "clinician", "status", "created_at")}),
        (_("Complaint"), {"fields": ("complaint", "symptoms_by_lesion")}),
        (_("Symptoms, lesion not stated"), {"fields": ("itch", "pain", "bleeding", "growth", "symptoms_since")}),
        (_("Notes"), {"fields": ("history", "notes", "plan")}),
    )

    @admin.display(description=_("symptoms by lesion"))
    def symptoms_by_lesion(self, visit: Visit) -> str:
        return symptoms_in_words(visit)


@admin.register(Lesion)
class LesionAdmin(NoticedColumn, ClinicScopedAdmin):
    list_display = ("patient", "number", "body_site", "side", "noticed", "created_at")
    list_filter = ("body_site", "side", "created_at", ("patient__clinic", ClinicFilter))
    list_select_related = ("patient",)
    list_per_page = 50
    search_fields = ("description",)
    patient_path = "patient"
    search_help_text = _("Patient's name or record number, or description")
    fields = (
        "patient",
        "number",
        "body_site",
        "side",
        "noticed",
        "description",
        "created_by",
        "created_at",
    )


@admin.register(Consent)
class ConsentAdmin(ClinicScopedAdmin):
    """Patients' consents. They are recorded on the patient's page and never changed."""

    list_display = ("recorded_at", "patient", "purpose", "decision", "method", "recorded_by")
    list_filter = ("purpose", "decision", "method", "recorded_at", ("patient__clinic", ClinicFilter))
    list_select_related = ("patient", "recorded_by__user")
    list_per_page = 50
    search_fields = ("patient__record_number",)
    patient_path = "patient"
    search_help_text = _("Patient's name or record number")
    fields = ("patient", "purpose", "decision", "method", "number", "recorded_by", "recorded_at")
