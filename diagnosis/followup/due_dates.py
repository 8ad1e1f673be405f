"""The dates that a plan may be given with one press: so many weeks or months from now."""

import calendar
import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class DueIn(models.TextChoices):
    ONE_WEEK = "1w", _("1 week")
    TWO_WEEKS = "2w", _("2 weeks")
    THREE_MONTHS = "3m", _("3 months")
    SIX_MONTHS = "6m", _("6 months")
    TWELVE_MONTHS = "12m", _("12 months")


def due_date(choice: str, *, start: datetime.date) -> datetime.date:
    """Return the day that is ``choice`` after ``start``; the last of the month where the month is shorter."""
    number, unit = int(choice[:-1]), choice[-1]
    if unit == "w":
        return start + datetime.timedelta(weeks=number)
    return months_later(start, number)


def months_later(start: datetime.date, number: int) -> datetime.date:
    """Return the day that is ``number`` months after ``start``; the last of the month where the month is shorter."""
    years, month = divmod(start.month - 1 + number, 12)
    year, month = start.year + years, month + 1
    return datetime.date(year, month, min(start.day, calendar.monthrange(year, month)[1]))
