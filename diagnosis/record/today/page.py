"""What the Today page shows: its sections with their first rows and counts, and the number in the header."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from diagnosis.record.today.counting import PreparedCount
from diagnosis.record.today.keys import KEYS, count, first_keys
from diagnosis.record.today.rows import Row, rows_of
from diagnosis.record.today.sections import (
    COUNTED_AT_MOST,
    Scope,
    SectionCode,
    contradicted,
    due,
    everything_overdue,
    urgent,
)
from diagnosis.record.today.waiting import alarming_parts, opinion_parts, result_parts
from patients.models import Member, Role

SHOWN = 20
# Sections whose rows must not wait.
PRESSING = (SectionCode.URGENT, SectionCode.UNPLANNED, SectionCode.CONTRADICTED, SectionCode.OVERDUE)


@dataclass(frozen=True)
class Section:
    """One section.

    Attributes:
        found: how many wait, whether or not the page names them.
        unnamed: those whose answer a blinded reader has not seen, and which are therefore not listed.
    """

    code: SectionCode
    rows: list[Row]
    found: int
    unnamed: int = 0

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
        return self.found - self.unnamed > len(self.rows)

    @property
    def nothing(self) -> str:
        """What an empty section says."""
        return {
            SectionCode.URGENT: _("Nothing urgent waits for a review."),
            SectionCode.VISITS: _("No visit is logged for today. Open a patient’s record and log it there."),
            SectionCode.RESULTS: _("No result is awaited."),
            SectionCode.UNPLANNED: _("Every result that needs a decision has one."),
            SectionCode.CONTRADICTED: _("Every report that a result contradicts has an addendum."),
            SectionCode.OPINIONS: _("Nobody waits for your opinion, and every answer to you is read."),
            SectionCode.PROCEDURES: _("No biopsy or referral is planned."),
            SectionCode.OVERDUE: _("No recall is overdue."),
            SectionCode.DUE: _("No recall is due within a week."),
            SectionCode.REMINDERS: _("No reminder came back."),
            SectionCode.DRAFTS: _("Every earlier visit is signed."),
        }[self.code]


@dataclass(frozen=True)
class HeaderCount:
    """The number beside “Today”: what is urgent or overdue, else what is due or waits."""

    found: int
    is_pressing: bool

    @property
    def words(self) -> str:
        return in_short(self.found)


def sections_for(scope: Scope, *, only: str = "") -> list[Section]:
    return [_section(scope, code) for code in codes_for(scope.member) if only in ("", code)]


def codes_for(member: Member) -> list[SectionCode]:
    """Return the sections that concern the member: only dermatologists are asked for opinions."""
    return [code for code in SectionCode if code != SectionCode.OPINIONS or member.is_dermatologist]


def links_for(member: Member) -> list[tuple[str, str]]:
    """Return the lists beside Today that the member may open, as address names and words."""
    links = [("outcomes-awaited", _("Specimens and results"))]
    if member.is_dermatologist:
        links.append(("opinions", _("Second opinions")))
    if member.role in (Role.DERMATOLOGIST, Role.MANAGER):
        links.append(("outcomes-misses", _("Missed diagnoses")))
    return links


def header_count(member: Member) -> HeaderCount:
    """Return the member's number: of the whole clinic, whatever their filter hides."""
    if pressing := _PRESSING.of(member):
        return HeaderCount(pressing, is_pressing=True)
    return HeaderCount(_WAITING.of(member), is_pressing=False)


def _pressing(scope: Scope) -> list[QuerySet[Any]]:
    return [urgent(scope), everything_overdue(scope), contradicted(scope), *alarming_parts(scope)]


def _waiting(scope: Scope) -> list[QuerySet[Any]]:
    asked = opinion_parts(scope) if scope.member.is_dermatologist else []
    return [due(scope), *result_parts(scope), *asked]


_PRESSING, _WAITING = PreparedCount(_pressing), PreparedCount(_waiting)


def in_short(found: int) -> str:
    return f"{COUNTED_AT_MOST - 1}+" if found >= COUNTED_AT_MOST else str(found)


def _section(scope: Scope, code: SectionCode) -> Section:
    keys = first_keys(KEYS[code](scope))
    unnamed = unnamed_in(scope, code, named=len(keys))
    return Section(code, rows_of(code, keys[:SHOWN], scope.member), len(keys) + unnamed, unnamed)


def unnamed_in(scope: Scope, code: SectionCode, *, named: int | None = None) -> int:
    """Return how many rows of a section are not named, so that they are still read blinded."""
    if code != SectionCode.URGENT:
        return 0
    return count(urgent(scope)) - (len(first_keys(KEYS[code](scope))) if named is None else named)
