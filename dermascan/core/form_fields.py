"""Form fields and widgets of the clinic's pages."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from dermascan.core.rough_dates import DatePrecision, RoughDate

DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"]
LONGEST_TEXT = 10_000


class DateInput(forms.DateInput):
    """The browser's date field, which needs ISO dates in every language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class PlainDateField(forms.DateField):
    """A date in any common format with a four-digit year."""

    widget = DateInput
    default_error_messages = {"invalid": _("Enter a valid date, such as 14/03/1961.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=DATE_FORMATS, **kwargs)


class RoughDateInput(forms.MultiWidget):
    """Inputs for day, month and year; the day, or day and month, may be left empty."""

    template_name = "patients/widgets/rough_date.html"
    use_fieldset = True
    PARTS = {"day": _("Day"), "month": _("Month"), "year": _("Year")}

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        digits = {"inputmode": "numeric", "autocomplete": "off", **(attrs or {})}
        months = forms.Select({"autocomplete": "off", **(attrs or {})}, choices=[("", "–"), *MONTHS.items()])
        super().__init__({"day": forms.TextInput(digits), "month": months, "year": forms.TextInput(digits)})

    def decompress(self, value: RoughDate | None) -> list[int | None]:
        if value is None:
            return [None, None, None]
        has_month, has_day = value.precision is not DatePrecision.YEAR, value.precision is DatePrecision.DAY
        return [value.first.day if has_day else None, value.first.month if has_month else None, value.first.year]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for part, label in zip(context["widget"]["subwidgets"], self.PARTS.values(), strict=True):
            part["label"] = label
        return context

    def id_for_label(self, id_: str) -> str:
        """Return the id of the first input, to which the error summary links."""
        return f"{id_}_0" if id_ else ""


class RoughDateField(forms.Field):
    """A full date, a month and year, or a year alone, as a ``RoughDate``."""

    widget = RoughDateInput
    default_error_messages = {
        "year": _("Enter the year with four digits, such as 2024."),
        "no_year": _("Enter the year too, or leave all three empty."),
        "month": _("Choose the month from the list."),
        "no_month": _("Choose the month too, or leave the day empty."),
        "day": _("Enter the day as a number from 1 to 31, or leave it empty."),
        "no_such_day": _("That month has no day %(day)d. Correct the day or leave it empty."),
    }

    def to_python(self, value: Any) -> RoughDate | None:
        day, month, year = (str(part or "").strip() for part in value or ("", "", ""))
        if not (day or month or year):
            return None
        if not year:
            raise self._error("no_year")
        if day and not month:
            raise self._error("no_month")
        year_number = self._number(year, "year", digits=4)
        if year_number < 1000:
            raise self._error("year")
        if not month:
            return RoughDate.of(datetime.date(year_number, 1, 1), DatePrecision.YEAR)
        month_number = self._number(month, "month", digits=2)
        if month_number not in MONTHS:
            raise self._error("month")
        if not day:
            return RoughDate.of(datetime.date(year_number, month_number, 1), DatePrecision.MONTH)
        day_number = self._number(day, "day", digits=2)
        if not 1 <= day_number <= 31:
            raise self._error("day")
        try:
            return RoughDate.of(datetime.date(year_number, month_number, day_number))
        except ValueError:
            raise self._error("no_such_day", day=day_number) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(initial != self.to_python(data))
        except ValidationError:
            return True

    def _number(self, text: str, part: str, *, digits: int) -> int:
        if len(text) > digits or not text.isdecimal():
            raise self._error(part)
        return int(text)

    def _error(self, code: str, **params: Any) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params=params)


def text_field(*, rows: int = 3, **kwargs: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=LONGEST_TEXT, widget=forms.Textarea({"rows": rows}), **kwargs)
