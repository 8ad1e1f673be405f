"""Pages of lists that are too long to sort or to count whole."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeyPaginator(Paginator):
    """Sorts and cuts the keys alone, then reads the rows of one page.

    Sorting a clinic's whole history with its notes and its joins takes ten times as long.
    """

    object_list: QuerySet[Any]

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = list(self.get_keys()[first : first + self.per_page])
        rows = self.object_list.in_bulk(keys)
        return Page([rows[key] for key in keys if key in rows], number, self)

    def get_keys(self) -> QuerySet[Any] | Sequence[Any]:
        """The keys of all rows, in order, to be sliced."""
        return self.object_list.values_list("pk", flat=True)


class AheadPaginator(KeyPaginator):
    """Looks no further than some pages ahead of the one that is asked for; ``is_cut`` says that there are more.

    Counting is what costs in a long list, so the keys are read once, as far as that, and counted here.

    Args:
        keys: the primary keys of ``object_list`` in the order wanted, from wherever an index yields that order.
        page: the number of the page that is asked for.
    """

    PAGES_AHEAD = 10

    def __init__(self, object_list: QuerySet[Any], per_page: int, *, keys: QuerySet[Any], page: int) -> None:
        super().__init__(object_list, per_page)
        self.all_keys = keys
        # Whoever asks for page 10^20 gets "no such page" and not an error of the database.
        self.limit = (min(page, 1_000_000) + self.PAGES_AHEAD) * self.per_page

    @property
    def count(self) -> int:
        return min(len(self._found), self.limit)

    @property
    def is_cut(self) -> bool:
        return len(self._found) > self.limit

    def get_keys(self) -> Sequence[Any]:
        return self._found

    @cached_property
    def _found(self) -> Sequence[Any]:
        return list(self.all_keys[: self.limit + 1])
