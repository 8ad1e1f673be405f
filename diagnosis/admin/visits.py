"""Visits, with what became of their reports, which ``patients`` does not know of."""

from django.contrib import admin

from patients.admin.records import VisitAdmin
from patients.models import Visit

from .signs import ShowsTrouble

admin.site.unregister(Visit)


@admin.register(Visit)
class VisitWithReportAdmin(ShowsTrouble, VisitAdmin):
    list_display = (*VisitAdmin.list_display, "trouble")
