"""The admin of visits with the state of their reports, which ``patients`` cannot import."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from diagnosis.record.admin.chip_columns import ShowsTrouble, status_in_words
from diagnosis.record.visit_chips import trouble_with_report
from diagnosis.reports.addendum_content import plan_not_for, plan_replaced_on
from diagnosis.reports.models import Report
from diagnosis.reports.validity import unreported_changes_of
from patients.admin.records import VisitAdmin
from patients.models import Visit

admin.site.unregister(Visit)

# Fields whose display depends on the state of the report.
NOW = {"status": "status_now", "plan": "plan_now"}


@admin.register(Visit)
class VisitWithReportAdmin(ShowsTrouble, VisitAdmin):
    def get_list_display(self, request: HttpRequest) -> Any:
        return [NOW.get(column, column) for column in (*super().get_list_display(request), "trouble")]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets: Any = super().get_fieldsets(request, obj)
        return [
            (title, {**options, "fields": [NOW.get(name, name) for name in options["fields"]]})
            for title, options in sets
        ]

    @admin.display(description=_("status"), ordering="status")
    def status_now(self, visit: Any) -> str:
        if "trouble_with_report" in vars(visit):  # a list has a column of its own for the problem
            return status_in_words(visit, visit.trouble_with_report)
        trouble = trouble_with_report(visit)
        return str(trouble) if trouble and trouble.is_withheld else visit.get_status_display()

    @admin.display(description=_("plan"))
    def plan_now(self, visit: Visit) -> str:
        """The plan as on the visit's page: struck out or marked if it is no longer valid."""
        if not visit.plan:
            return "–"
        report = Report.objects.select_related("visit__patient__clinic").filter(visit=visit).first()
        addenda = list(report.addenda.all()) if report else []
        context = {
            "visit": visit,
            "addenda": addenda,
            "plan_replaced_on": plan_replaced_on(addenda),
            "plan_not_for": plan_not_for(json.loads(each.content) for each in addenda),
            "report_is_misleading": report is not None and unreported_changes_of(report).is_misleading,
        }
        return render_to_string("record/includes/visit_plan.html", context)
