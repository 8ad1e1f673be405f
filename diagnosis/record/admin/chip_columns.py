"""What the clinic's own lists say of photographs and reports, in the admin's lists too: chips, from the same place."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from diagnosis.assessment.chips import URGENT, Sign
from diagnosis.assessment.photographs import photographs_by_key
from diagnosis.images.models import Image
from diagnosis.record.admin.remarks import ShowsRemarks, of_a_photograph, of_a_visit, photograph_for, visit_of
from diagnosis.record.visit_chips import Trouble, troubled_reports_at
from patients.admin.long_lists import LongChangeList
from patients.models import Visit


def signs_html(signs: Iterable[Sign]) -> SafeString:
    chips = format_html_join(
        " ", '<span class="admin-tier admin-tier-{}">{}</span>', ((sign.tone, sign.words) for sign in signs)
    )
    return format_html('<span class="admin-tiers">{}</span>', chips)


def trouble_html(trouble: Trouble | None) -> str:
    return signs_html([Sign(URGENT, str(trouble))]) if trouble else "–"


def status_in_words(visit: Visit, trouble: Trouble | None) -> str:
    """The status of a visit, beside what is wrong with its report: one that is withheld is not called released."""
    return "–" if trouble and trouble.is_withheld else visit.get_status_display()


class PhotographChangeList(LongChangeList):
    """A page of photographs, or of rows that belong to one, each with what its chips say."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        known = photographs_by_key(_photograph_of(row) for row in self.result_list)
        for row in self.result_list:
            row.photograph = known[_photograph_of(row)]


class ShowsSigns(ShowsRemarks):
    """A list with a column of the chips of each row's photograph, and a page that begins with what they stand for."""

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return PhotographChangeList

    @admin.display(description=_("state"))
    def signs(self, row: Any) -> SafeString:
        return signs_html(photograph_for(row).signs)

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return of_a_photograph(row)


class ReportChangeList(LongChangeList):
    """A page of visits, or of what belongs to the report of one, each with what is wrong with that report."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        troubled = troubled_reports_at([visit_of(row) for row in self.result_list])
        for row in self.result_list:
            row.trouble_with_report = troubled.get(visit_of(row).pk)


class ShowsTrouble(ShowsRemarks):
    """A list with a column that says whether the report is withheld or no longer holds, as the list of visits does.

    The page of a row begins with the same, and why.
    """

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return ReportChangeList

    @admin.display(description=_("report now"))
    def trouble(self, row: Any) -> str:
        return trouble_html(row.trouble_with_report)

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return of_a_visit(row)


def _photograph_of(row: Any) -> Any:
    return row.pk if isinstance(row, Image) else row.image_id
