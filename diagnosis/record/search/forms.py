"""The filter of the lists of visits and lesions, and the form that saves it."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.choices import flatten_choices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dermascan.core.form_fields import PlainDateField
from diagnosis.record.search.choices import (
    Answered,
    Awaited,
    Listing,
    Planned,
    choices_read_blinded,
    label_choices,
    site_choices,
)
from diagnosis.reviews.blinding import reads_blinded
from patients.models import Member, Role, VisitStatus
from patients.models.patient import LONGEST_SEARCH

ANY = ("", gettext_lazy("Any"))
# The field that a list shows beside its button; the others are behind “More filters”.
FIRST = ("q", "tier")
EARLIEST, LATEST = datetime.date(1900, 1, 1), datetime.date(2100, 12, 31)
UNKNOWN = {"invalid_choice": gettext_lazy("This choice does not exist. Choose from the list.")}


@dataclass(frozen=True)
class Wanted:
    """What a member looks for; an empty value asks for nothing.

    Attributes:
        tier, label, plan, result: a value of ``Answered``, of ``LabelKind`` or an answer, of ``Planned``, ``Awaited``.
        since, until: of the visit, or of when the lesion was photographed; both days count.
        status: of the visit, or of one at which the lesion was photographed.
        reader: who has reviewed one of the photographs.
    """

    q: str = ""
    tier: str = ""
    label: str = ""
    site: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    status: str = ""
    reader: Member | None = None
    plan: str = ""
    result: str = ""


@dataclass(frozen=True)
class Chip:
    """One part of a filter that is on, with the query string of the filter without it."""

    label: str
    value: str
    without: str


def _choice(label: Any, choices: list[tuple[Any, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=choices, error_messages=UNKNOWN)


def _date(label: Any) -> PlainDateField:
    plausible = [
        MinValueValidator(EARLIEST, gettext_lazy("Enter a date from 1900 to 2100.")),
        MaxValueValidator(LATEST, gettext_lazy("Enter a date from 1900 to 2100.")),
    ]
    return PlainDateField(label=label, required=False, validators=plausible)


class FilterForm(forms.Form):
    """The filter as a query string has it. Without fields it asks for everything."""

    q = forms.CharField(
        label=gettext_lazy("Name, record number or birth date"),
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput({"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    tier = _choice(gettext_lazy("Urgency to the network"), [ANY, *Answered.choices])
    label = _choice(gettext_lazy("Label"), label_choices())
    site = _choice(gettext_lazy("Body site"), site_choices())
    since = _date(gettext_lazy("From"))
    until = _date(gettext_lazy("Until"))
    status = _choice(gettext_lazy("State of the visit"), [ANY, *VisitStatus.choices])
    reader = forms.ModelChoiceField(
        label=gettext_lazy("Reviewed by"),
        required=False,
        queryset=Member.objects.none(),
        empty_label=gettext_lazy("Anyone"),
        error_messages=UNKNOWN,
    )
    plan = _choice(gettext_lazy("Next step"), [ANY, *Planned.choices])
    result = _choice(gettext_lazy("Laboratory"), [ANY, *Awaited.choices])

    def __init__(self, data: QueryDict | dict[str, str], *, member: Member, listing: Listing) -> None:
        super().__init__(data)
        self.listing = listing
        readers = Member.objects.filter(clinic=member.clinic_id, role=Role.DERMATOLOGIST).select_related("user")
        self.fields["reader"].queryset = readers.order_by("user__last_name", "pk")  # type: ignore[attr-defined]
        self.fields["reader"].label_from_instance = lambda reader: reader.name  # type: ignore[attr-defined]
        if reads_blinded(member):
            self.fields["tier"].choices = [ANY, *choices_read_blinded()]  # type: ignore[attr-defined]
        if listing is Listing.LESIONS:
            self.fields["since"].label = _("Photographed from")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            words = _("The last day is before the first. Correct one of them.")
            self.add_error("until", forms.ValidationError(words, code="until_before_since"))
        return cleaned

    @property
    def wanted(self) -> Wanted:
        """What a valid form asks for."""
        return Wanted(**{name: value for name, value in self.cleaned_data.items() if value})

    @property
    def parameters(self) -> dict[str, str]:
        """The fields of a valid form that ask for something, as a query string has them, always in one order."""
        return {name: _in_a_query(value) for name, value in self.cleaned_data.items() if value}

    @property
    def query(self) -> str:
        return as_query(self.parameters)

    @property
    def chips(self) -> list[Chip]:
        """What is on, each with the way to take it off."""
        if not self.is_valid():
            return []
        parameters = self.parameters
        return [
            Chip(str(self.fields[name].label), self._in_words(name), as_query(parameters, without=name))
            for name in parameters
        ]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in FIRST]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name not in FIRST]

    @property
    def shows_more(self) -> bool:
        """Whether one of the fields behind “More filters” is filled in, or wrong."""
        return any(self.data.get(field.name) or field.errors for field in self.more_fields)

    def _in_words(self, name: str) -> str:
        value, field = self.cleaned_data[name], self.fields[name]
        if isinstance(value, datetime.date):
            return f"{value:%-d %b %Y}"
        if isinstance(value, Member):
            return value.name
        if not isinstance(field, forms.ChoiceField):
            return str(value)
        return str(dict(flatten_choices(field.choices))[value])  # type: ignore[arg-type]


class SavedFilterForm(forms.Form):
    """A name for the filter that is on."""

    listing = forms.ChoiceField(choices=Listing.choices, widget=forms.HiddenInput)
    parameters = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)
    name = forms.CharField(
        label=gettext_lazy("Name of the filter"),
        max_length=60,
        error_messages={"required": gettext_lazy("Enter a name under which to save the filter.")},
    )


def as_query(parameters: dict[str, str], *, without: str = "") -> str:
    """Return the query string, without one of its fields."""
    query = QueryDict(mutable=True)
    for name, value in parameters.items():
        if name != without:
            query[name] = value
    return query.urlencode()


def _in_a_query(value: Any) -> str:
    if isinstance(value, Member):
        return str(value.pk)
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
