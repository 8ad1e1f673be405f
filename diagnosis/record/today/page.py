"""What the Today page shows: its sections with their first rows and counts, and the number in the header."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from diagnosis.record.today.rows import Row, rows_of
from diagnosis.record.today.sections import (
    COUNTED_AT_MOST,
    QUERIES,
    Scope,
    SectionCode,
    due,
    everything_overdue,
    keys_of,
    urgent,
)
from patients.models import Member

SHOWN = 20
# Sections whose rows must not wait.
PRESSING = (SectionCode.URGENT, SectionCode.OVERDUE)


@dataclass(frozen=True)
class Section:
    code: SectionCode
    rows: list[Row]
    found: int

    @property
    def title(self) -> str:
        return str(self.code.label)

    @property
    def count(self) -> str:
        return in_short(self.found)

    @property
    def is_pressing(self) -> bool:
        return bool(self.found) and self.code in PRESSING

    @property
    def has_more(self) -> bool:
        return self.found > len(self.rows)

    @property
    def nothing(self) -> str:
        """What an empty section says."""
        return {
            SectionCode.URGENT: _("Nothing urgent waits for a review."),
            SectionCode.VISITS: _("No visit is logged for today. Open a patient’s record and log it there."),
            SectionCode.RESULTS: _("No result is awaited."),
            SectionCode.PROCEDURES: _("No biopsy or referral is planned."),
            SectionCode.OVERDUE: _("No recall is overdue."),
            SectionCode.DUE: _("No recall is due within a week."),
            SectionCode.REMINDERS: _("No reminder came back."),
            SectionCode.DRAFTS: _("Every earlier visit is signed."),
        }[self.code]


@dataclass(frozen=True)
class HeaderCount:
    """The number beside “Today”: what is urgent or overdue, else what is due this week."""

    found: int
    is_pressing: bool

    @property
    def words(self) -> str:
        return in_short(self.found)


def sections_for(scope: Scope, *, only: str = "") -> list[Section]:
    return [_section(scope, code) for code in SectionCode if only in ("", code)]


def header_count(member: Member) -> HeaderCount:
    """Return the member's number: of the whole clinic, whatever their filter hides."""
    scope = Scope(member)
    pressing = len(keys_of(urgent(scope))) + len(keys_of(everything_overdue(scope).order_by()))
    if pressing:
        return HeaderCount(pressing, is_pressing=True)
    return HeaderCount(len(keys_of(due(scope))), is_pressing=False)


def in_short(found: int) -> str:
    return f"{COUNTED_AT_MOST - 1}+" if found >= COUNTED_AT_MOST else str(found)


def _section(scope: Scope, code: SectionCode) -> Section:
    keys = keys_of(QUERIES[code](scope))
    return Section(code, rows_of(code, keys[:SHOWN], scope.member), len(keys))
