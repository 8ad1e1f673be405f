"""The keys of each section's rows, in order. Lists, pages and counts use the same ones."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from diagnosis.record.today import sections, waiting
from diagnosis.record.today.sections import COUNTED_AT_MOST, Scope, SectionCode


def _plain(rows_of: Callable[[Scope], QuerySet[Any]]) -> Callable[[Scope], QuerySet[Any, Any]]:
    return lambda scope: rows_of(scope).values_list("pk", flat=True)


KEYS: dict[SectionCode, Callable[[Scope], QuerySet[Any, Any]]] = {
    SectionCode.URGENT: _plain(sections.named_urgent),
    SectionCode.VISITS: _plain(sections.visits),
    SectionCode.RESULTS: waiting.results,
    SectionCode.UNPLANNED: waiting.unplanned,
    SectionCode.CONTRADICTED: _plain(sections.contradicted),
    SectionCode.OPINIONS: waiting.opinions,
    SectionCode.PROCEDURES: _plain(sections.procedures),
    SectionCode.OVERDUE: _plain(sections.overdue),
    SectionCode.DUE: _plain(sections.due),
    SectionCode.REMINDERS: _plain(sections.reminders),
    SectionCode.DRAFTS: _plain(sections.drafts),
}


def first_keys(rows: QuerySet[Any, Any]) -> list[Any]:
    """Return the keys of the first rows: enough to show and to count, however long the list is."""
    return list(rows[:COUNTED_AT_MOST])


def count(rows: QuerySet[Any]) -> int:
    """Return how many rows there are, counted no further than is shown."""
    return len(first_keys(rows.order_by().values_list("pk", flat=True)))
