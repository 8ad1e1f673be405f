"""Paginators for lists that are too long to sort or count completely."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeyPaginator(Paginator):
    """Sorts and slices the primary keys, then reads the rows of one page.

    Sorting a clinic's whole history with its notes and joins takes ten times as long.
    """

    object_list: QuerySet[Any]

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = list(self.get_keys()[first : first + self.per_page])
        rows = self.object_list.in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)

    def get_keys(self) -> QuerySet[Any] | Sequence[Any]:
        """Return the primary keys of all rows, in order."""
        return self.object_list.values_list("pk", flat=True)


class OncePaginator(KeyPaginator):
    """Reads all keys once, and counts them: for a search that looks through every row anyway."""

    @property
    def count(self) -> int:
        return len(self._all_keys)

    def get_keys(self) -> Sequence[Any]:
        return self._all_keys

    @cached_property
    def _all_keys(self) -> Sequence[Any]:
        return list(super().get_keys())


class AheadPaginator(KeyPaginator):
    """Reads a few pages ahead of the requested one and no further; ``is_cut`` says that there are more.

    Counting a long list is slow, so the keys are read once up to that limit and counted here.

    Args:
        keys: the primary keys of ``object_list`` in the desired order, from a query whose order an index provides.
        page: the number of the requested page.
    """

    PAGES_AHEAD = 10

    def __init__(self, object_list: QuerySet[Any], per_page: int, *, keys: QuerySet[Any], page: int) -> None:
        super().__init__(object_list, per_page)
        self.all_keys = keys
        # Page 10^20 is answered with "no such page", not with a database error.
        self.limit = (min(page, 1_000_000) + self.PAGES_AHEAD) * self.per_page

    @property
    def count(self) -> int:
        return min(len(self._read_keys), self.limit)

    @property
    def is_cut(self) -> bool:
        return len(self._read_keys) > self.limit

    def get_keys(self) -> Sequence[Any]:
        return self._read_keys

    @cached_property
    def _read_keys(self) -> Sequence[Any]:
        return list(self.all_keys[: self.limit + 1])
