"""Count the rows of several lists in one query, whose SQL is kept for a minute.

Building such a query takes Django longer than the database needs to answer it, and every page asks. Its SQL
differs between members by their own key and their clinic's only, so it is compiled for one and run for all.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.db import connection
from django.db.models import IntegerField, QuerySet, Subquery
from django.utils import timezone

from diagnosis.record.today.sections import COUNTED_AT_MOST, Scope
from patients.models import Clinic, Member


class _Key(Enum):
    """A parameter that is another one for every member."""

    MEMBER = auto()
    CLINIC = auto()


class PreparedCount:
    """How many rows lists have together, each counted no further than is shown.

    What counts as late or expired may lag behind the clock by the minute that the SQL is kept.
    """

    def __init__(self, lists_of: Callable[[Scope], Sequence[QuerySet[Any]]]) -> None:
        """Count ``lists_of`` a scope. They may differ by role, and else by the member's and clinic's keys only."""
        self._lists_of = lists_of
        self._kept: tuple[datetime | None, dict[str, tuple[str, tuple[Any, ...]]]] = (None, {})

    def of(self, member: Member) -> int:
        sql, parameters = self._compiled_for(member)
        keys = {_Key.MEMBER: _stored(Member, member.pk), _Key.CLINIC: _stored(Clinic, member.clinic_id)}
        with connection.cursor() as cursor:
            cursor.execute(sql, [keys[each] if isinstance(each, _Key) else each for each in parameters])
            return sum(cursor.fetchone() or ())

    def _compiled_for(self, member: Member) -> tuple[str, tuple[Any, ...]]:
        minute = timezone.now().replace(second=0, microsecond=0)
        # Read once: another thread may begin the next minute meanwhile.
        kept, compiled = self._kept
        if kept != minute:
            compiled = {}
            self._kept = (minute, compiled)
        if member.role not in compiled:
            compiled[member.role] = self._compile(member)
        return compiled[member.role]

    def _compile(self, member: Member) -> tuple[str, tuple[Any, ...]]:
        counts = [_CountUpTo(rows.order_by().values("pk")[:COUNTED_AT_MOST]) for rows in self._lists_of(Scope(member))]
        # Beside the member's own row, since Django selects from some table.
        query = Member.objects.filter(pk=member.pk).order_by().values_list(*counts).query
        sql, parameters = query.get_compiler(connection=connection).as_sql()
        keys = {_stored(Member, member.pk): _Key.MEMBER, _stored(Clinic, member.clinic_id): _Key.CLINIC}
        return sql, tuple(keys.get(each, each) for each in parameters)


def _stored(model: Any, key: Any) -> Any:
    """Return a key as this database is given it."""
    return model._meta.pk.get_db_prep_value(key, connection)


class _CountUpTo(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
