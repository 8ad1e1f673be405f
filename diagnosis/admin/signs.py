"""What the clinic's own lists say of photographs and reports, in the admin's lists too: chips, from the same place."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from diagnosis.models import Addendum, Image, Report
from diagnosis.photographs import photographs_by_key
from diagnosis.signs import URGENT, Sign
from diagnosis.templatetags.answers import troubled_reports_at
from patients.admin.long_lists import LongChangeList
from patients.models import Visit


def signs_html(signs: Iterable[Sign]) -> SafeString:
    chips = format_html_join(
        " ", '<span class="admin-tier admin-tier-{}">{}</span>', ((sign.tone, sign.words) for sign in signs)
    )
    return format_html('<span class="admin-tiers">{}</span>', chips)


class PhotographChangeList(LongChangeList):
    """A page of photographs, or of rows that belong to one, each with what its chips say."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        known = photographs_by_key(_photograph_of(row) for row in self.result_list)
        for row in self.result_list:
            row.photograph = known[_photograph_of(row)]


class ShowsSigns:
    """A list with a column of the chips of each row's photograph."""

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return PhotographChangeList

    @admin.display(description=_("state"))
    def signs(self, row: Any) -> SafeString:
        return signs_html(row.photograph.signs)


class ReportChangeList(LongChangeList):
    """A page of visits, or of what belongs to the report of one, each with what is wrong with that report."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        troubled = troubled_reports_at([_visit_of(row) for row in self.result_list])
        for row in self.result_list:
            row.trouble_with_report = troubled.get(_visit_of(row).pk, "")


class ShowsTrouble:
    """A list with a column that says whether the report is withheld or no longer holds, as the list of visits does."""

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return ReportChangeList

    @admin.display(description=_("report now"))
    def trouble(self, row: Any) -> str:
        return signs_html([Sign(URGENT, row.trouble_with_report)]) if row.trouble_with_report else "–"


def _photograph_of(row: Any) -> Any:
    return row.pk if isinstance(row, Image) else row.image_id


def _visit_of(row: Visit | Report | Addendum) -> Visit:
    if isinstance(row, Visit):
        return row
    return row.report.visit if isinstance(row, Addendum) else row.visit
