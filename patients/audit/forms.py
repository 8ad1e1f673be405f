"""The filter of the audit trail's page."""

import datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from dermascan.core.form_fields import PlainDateField
from patients.models import AuditAction, AuditEntry, Clinic, Member, Patient
from patients.models.patient import LONGEST_SEARCH

# A search that finds more patients than these is not about one of them.
MOST_PATIENTS = 200
_PLAUSIBLE = [
    MinValueValidator(datetime.date(1900, 1, 1), _("Enter a date from 1900 to 2100.")),
    MaxValueValidator(datetime.date(2100, 12, 31), _("Enter a date from 1900 to 2100.")),
]
_UNKNOWN = {"invalid_choice": _("This choice does not exist. Choose from the list.")}


class AuditFilterForm(forms.Form):
    """Who, whose record, what, and when; empty fields ask for everything."""

    member = forms.ModelChoiceField(
        label=_("Member"), queryset=Member.objects.none(), required=False, empty_label=_("Anybody"),
        error_messages=_UNKNOWN,
    )  # fmt: skip
    patient = forms.CharField(label=_("Patient: name or record number"), required=False, max_length=LONGEST_SEARCH)
    action = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("Anything")), *AuditAction.choices], error_messages=_UNKNOWN
    )
    since = PlainDateField(label=_("From"), required=False, validators=_PLAUSIBLE)
    until = PlainDateField(label=_("To"), required=False, validators=_PLAUSIBLE)

    def __init__(self, *args: Any, clinic: Clinic | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patients = Patient.objects.filter(clinic=clinic) if clinic else Patient.objects.all()
        members = Member.objects.filter(clinic=clinic) if clinic else Member.objects.all()
        self.fields["member"].queryset = members.select_related("user")  # type: ignore[attr-defined]

    def clean_patient(self) -> str:
        return str(self.cleaned_data["patient"]).replace("\0", " ").strip()

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Return the entries that are asked for; none if the form is wrong."""
        if not self.is_valid():
            return entries.none()
        asked = self.cleaned_data
        if asked["member"]:
            entries = entries.filter(actor=asked["member"].user_id)
        if asked["patient"]:
            found = self.patients.matching(asked["patient"]).order_by().values_list("pk", flat=True)
            entries = entries.filter(patient__in=list(found[:MOST_PATIENTS]))
        if asked["action"]:
            entries = entries.filter(action=asked["action"])
        if asked["since"]:
            entries = entries.filter(at__gte=_midnight(asked["since"]))
        if asked["until"]:
            entries = entries.filter(at__lt=_midnight(asked["until"] + datetime.timedelta(days=1)))
        return entries


def _midnight(day: datetime.date) -> datetime.datetime:
    return make_aware(datetime.datetime.combine(day, datetime.time.min))
