"""Visits, with what became of their reports, which ``patients`` does not know of."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from patients.admin.records import VisitAdmin
from patients.models import Visit

from .signs import ShowsTrouble

admin.site.unregister(Visit)


@admin.register(Visit)
class VisitWithReportAdmin(ShowsTrouble, VisitAdmin):
    def get_list_display(self, request: HttpRequest) -> Any:
        return [*super().get_list_display(request), "trouble"]
