from django.contrib import admin
from django.contrib.admin.utils import display_for_value
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from diagnosis.record.admin.chip_columns import ShowsTrouble
from diagnosis.reports.models import Addendum, Report
from patients.admin.scope import ClinicFilter, ClinicScopedAdmin, patient_cell


@admin.register(Report)
class ReportAdmin(ShowsTrouble, ClinicScopedAdmin):
    """A read-only list of signed reports. They are signed and released on the visit's page."""

    list_display = ("visit_date", "patient", "signed_by", "signed_at", "is_released", "trouble", "downloads")
    list_filter = (
        ("released_at", admin.EmptyFieldListFilter),
        "signed_at",
        ("signed_by", ClinicFilter),
    )
    list_select_related = ("visit__patient", "signed_by__user", "released_by__user")
    list_per_page = 50
    search_fields = ("content_sha256", "pdf_sha256")
    patient_path = "visit__patient"
    search_help_text = _("Patient's name or record number, or a hash from a report")
    fields = (
        "visit",
        "patient",
        "signed_by",
        "signed_at",
        "released_by",
        "released_at",
        "without_a_plan",
        "content_sha256",
        "pdf_sha256",
        "downloads",
    )

    @admin.display(description=_("signed without a plan because"))
    def without_a_plan(self, report: Report) -> str:
        return report.why_no_plan or "–"

    @admin.display(description=_("visit"), ordering="visit__date")
    def visit_date(self, report: Report) -> str:
        return display_for_value(report.visit.date, "–")

    @admin.display(description=_("patient"), ordering="visit__patient__family_name")
    def patient(self, report: Report) -> SafeString:
        return patient_cell(report.visit.patient)

    @admin.display(description=_("released"), boolean=True, ordering="released_at")
    def is_released(self, report: Report) -> bool:
        """Whether the report is released; False for a withheld one, to agree with the other column."""
        trouble = getattr(report, "trouble_with_report", None)
        return report.released_at is not None and not (trouble and trouble.is_withheld)

    @admin.display(description=_("report"))
    def downloads(self, report: Report) -> SafeString:
        return format_html(
            '<a href="{}">PDF</a> · <a href="{}">JSON</a>',
            reverse("report-pdf", args=[report.pk]),
            reverse("report-json", args=[report.pk]),
        )


@admin.register(Addendum)
class AddendumAdmin(ShowsTrouble, ClinicScopedAdmin):
    """A read-only list of addenda to signed reports. They are signed on a page of their own."""

    list_display = ("signed_at", "patient", "number", "signed_by", "trouble", "downloads")
    list_filter = ("signed_at", ("signed_by", ClinicFilter))
    list_select_related = ("report__visit__patient", "signed_by__user")
    list_per_page = 50
    search_fields = ("content_sha256", "pdf_sha256")
    patient_path = "report__visit__patient"
    search_help_text = _("Patient's name or record number, or a hash from an addendum")
    fields = (
        "report",
        "patient",
        "number",
        "signed_by",
        "signed_at",
        "content_sha256",
        "pdf_sha256",
        "downloads",
    )

    @admin.display(description=_("patient"), ordering="report__visit__patient__family_name")
    def patient(self, addendum: Addendum) -> SafeString:
        return patient_cell(addendum.report.visit.patient)

    @admin.display(description=_("addendum"))
    def downloads(self, addendum: Addendum) -> SafeString:
        return format_html(
            '<a href="{}">PDF</a> · <a href="{}">JSON</a>',
            reverse("addendum-pdf", args=[addendum.pk]),
            reverse("addendum-json", args=[addendum.pk]),
        )
