"""Form fields that more than one form needs."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

DATE_FORMATS = ["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"]
LONGEST_TEXT = 10_000


class DateInput(forms.DateInput):
    """The browser's own date field; it needs ISO dates whatever the page's language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class PlainDateField(forms.DateField):
    """A date in any of the ways that people write one, with four digits for the year."""

    widget = DateInput
    default_error_messages = {"invalid": _("Enter a real date, like 14/03/1961.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=DATE_FORMATS, **kwargs)


def text_field(*, rows: int = 3, **kwargs: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=LONGEST_TEXT, widget=forms.Textarea({"rows": rows}), **kwargs)
