"""Columns with the chips of photographs and reports, the same as in the clinic's own lists."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from diagnosis.assessment.chips import URGENT, Chip
from diagnosis.assessment.photographs import photographs_by_key
from diagnosis.images.models import Image
from diagnosis.record.admin.remarks import ShowsRemarks, of_a_photograph, of_a_visit, photograph_for, visit_of
from diagnosis.record.visit_chips import Trouble, troubled_reports_at
from diagnosis.reviews.blinding import note_seen
from patients.admin.long_lists import LongChangeList
from patients.admin.scope import member_of
from patients.models import Visit


def chips_html(chips: Iterable[Chip]) -> SafeString:
    spans = format_html_join(
        " ",
        '<span data-code="{}" class="admin-tier admin-tier-{}">{}</span>',
        ((chip.code, chip.tone, chip.words) for chip in chips),
    )
    return format_html('<span class="admin-tiers">{}</span>', spans)


def trouble_html(trouble: Trouble | None) -> str:
    return chips_html([Chip(trouble.code, URGENT, str(trouble))]) if trouble else "–"


def status_in_words(visit: Visit, trouble: Trouble | None) -> str:
    """Return the status of a visit for a list with a column for report problems; a withheld one is not “released”."""
    return "–" if trouble and trouble.is_withheld else visit.get_status_display()


class PhotographChangeList(LongChangeList):
    """A change list of photographs, or of rows related to one, that loads their chips."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        photographs = photographs_by_key(_photograph_of(row) for row in self.result_list)
        if "chips" in self.list_display:
            note_seen(member_of(request), [each.image for each in photographs.values()])
        for row in self.result_list:
            row.photograph = photographs[_photograph_of(row)]


class ShowsChips(ShowsRemarks):
    """An admin with a column of the chips of each row's photograph, and its warnings on the change page."""

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return PhotographChangeList

    @admin.display(description=_("state"))
    def chips(self, row: Any) -> SafeString:
        return chips_html(photograph_for(row).chips)

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        note_seen(member_of(request), [photograph_for(row).image])
        return of_a_photograph(row)


class ReportChangeList(LongChangeList):
    """A change list of visits, reports or addenda that loads the problems of their reports."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Any] = list(self.result_list)
        troubled = troubled_reports_at([visit_of(row) for row in self.result_list])
        for row in self.result_list:
            row.trouble_with_report = troubled.get(visit_of(row).pk)


class ShowsTrouble(ShowsRemarks):
    """An admin with a column for a report that is withheld or no longer valid, as in the clinic's list of visits.

    The change page starts with the same problem and its reasons.
    """

    class Media:
        css = {"all": ("css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongChangeList]:
        return ReportChangeList

    @admin.display(description=_("report now"))
    def trouble(self, row: Any) -> str:
        return trouble_html(row.trouble_with_report)

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        note_seen(member_of(request), visit_of(row).images.in_use())
        return of_a_visit(row)


def _photograph_of(row: Any) -> Any:
    return row.pk if isinstance(row, Image) else row.image_id
