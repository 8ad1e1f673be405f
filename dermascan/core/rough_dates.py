"""Dates as people remember them: a day, a month, or only a year. Written as ISO 8601 does, so is "2026-06" a month."""

import datetime
import re
from calendar import monthrange
from dataclasses import dataclass
from typing import Self

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

_WRITTEN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class DatePrecision(models.TextChoices):
    DAY = "day", _("Day")
    MONTH = "month", _("Month")
    YEAR = "year", _("Year")


# Of Django's date formats: what is said of a date of that precision, and how it is written in data.
_IN_WORDS = {DatePrecision.DAY: "j F Y", DatePrecision.MONTH: "F Y", DatePrecision.YEAR: "Y"}
_LENGTHS = {DatePrecision.DAY: 10, DatePrecision.MONTH: 7, DatePrecision.YEAR: 4}


@dataclass(frozen=True)
class RoughDate:
    """Any day from ``first`` to ``last``; ``of`` and ``parse`` make one."""

    first: datetime.date
    precision: DatePrecision

    @classmethod
    def of(cls, date: datetime.date, precision: str = DatePrecision.DAY) -> Self:
        """The day, the month or the year that ``date`` is in."""
        precision = DatePrecision(precision)
        if precision is not DatePrecision.DAY:
            date = date.replace(day=1)
        if precision is DatePrecision.YEAR:
            date = date.replace(month=1)
        return cls(date, precision)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-06-03", "2026-06" or "2026". Raises ``ValueError``."""
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ValueError(f"{text!r} is not a date")
        year, month, day = written.groups()
        precision = DatePrecision.DAY if day else DatePrecision.MONTH if month else DatePrecision.YEAR
        return cls(datetime.date(int(year), int(month or 1), int(day or 1)), precision)

    @property
    def last(self) -> datetime.date:
        if self.precision is DatePrecision.DAY:
            return self.first
        if self.precision is DatePrecision.YEAR:
            return self.first.replace(month=12, day=31)
        return self.first.replace(day=monthrange(self.first.year, self.first.month)[1])

    def __str__(self) -> str:
        """In words: "3 June 2026", "June 2026" or "2026"."""
        return date_format(self.first, _IN_WORDS[self.precision])

    def isoformat(self) -> str:
        """As data: "2026-06-03", "2026-06" or "2026"."""
        return self.first.isoformat()[: _LENGTHS[self.precision]]
