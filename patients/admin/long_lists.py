"""Admin lists that stay fast with a hundred thousand rows: no page counts, sorts or joins the whole table."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import InvalidPage
from django.db.models import QuerySet
from django.http import HttpRequest

from dermascan.core.paging import AheadPaginator

# Python refuses to parse a number with thousands of digits.
LONGEST_NUMBER = 18


class LongChangeList(ChangeList):
    """A change list that always reads one page by its keys; Django's own reads the whole list if it fits a page."""

    def get_results(self, request: HttpRequest) -> None:
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        try:
            self.result_list = paginator.page(self.page_num).object_list
        except InvalidPage:
            raise IncorrectLookupParameters from None
        self.paginator = paginator
        self.result_count = paginator.count
        self.multi_page = paginator.num_pages > 1
        self.can_show_all = False
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True


class LongList(admin.ModelAdmin):
    """A model admin whose list is paginated by key and counted only a few pages ahead."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet would count the whole list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], per_page: int, *args: Any, **kwargs: Any
    ) -> AheadPaginator:
        page = request.GET.get(PAGE_VAR, "")
        keys = self.get_keys(request, queryset)
        return AheadPaginator(
            self.get_rows(request, queryset),
            per_page,
            keys=keys,
            page=int(page) if page.isdecimal() and len(page) <= LONGEST_NUMBER else 1,
        )

    def get_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that the page is read from by its keys, without the filters that chose these.

        With a filter SQLite would read every row that it lets through, instead of the page's.
        """
        related = self.list_select_related
        if isinstance(related, bool) or not related:
            return queryset
        return self.get_queryset(request).select_related(*related).order_by("pk")

    def get_keys(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the primary keys of the rows, in list order."""
        return queryset.values_list("pk", flat=True)
