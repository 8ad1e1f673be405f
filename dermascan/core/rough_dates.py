"""Dates with day, month or year precision, written as in ISO 8601: "2026-06" is a month."""

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


# By precision: Django's date format for pages, and the length of the ISO date.
_FORMATS = {DatePrecision.DAY: "j F Y", DatePrecision.MONTH: "F Y", DatePrecision.YEAR: "Y"}
_LENGTHS = {DatePrecision.DAY: 10, DatePrecision.MONTH: 7, DatePrecision.YEAR: 4}


@dataclass(frozen=True)
class RoughDate:
    """A period from ``first`` to ``last``; create it with ``of`` or ``parse``."""

    first: datetime.date
    precision: DatePrecision

    @classmethod
    def of(cls, date: datetime.date, precision: str = DatePrecision.DAY) -> Self:
        """Return the day, month or year that contains ``date``."""
        precision = DatePrecision(precision)
        if precision is not DatePrecision.DAY:
            date = date.replace(day=1)
        if precision is DatePrecision.YEAR:
            date = date.replace(month=1)
        return cls(date, precision)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-06-03", "2026-06" or "2026". Raises ``ValueError``."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a date")
        year, month, day = match.groups()
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
        """Return "3 June 2026", "June 2026" or "2026"."""
        return date_format(self.first, _FORMATS[self.precision])

    def isoformat(self) -> str:
        """Return "2026-06-03", "2026-06" or "2026"."""
        return self.first.isoformat()[: _LENGTHS[self.precision]]
