"""The form of a clinic's reminders."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.followup.models import ReminderSettings, StopReason
from diagnosis.followup.models.reminder import MOST_DAYS

_RANGE = gettext_lazy("Enter a number of days from 1 to 60, or leave it empty.")


class ReminderSettingsForm(forms.Form):
    is_on = forms.BooleanField(label=gettext_lazy("Send reminders to patients by e-mail"), required=False)
    days_before = forms.IntegerField(
        label=gettext_lazy("Days before the date"),
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=gettext_lazy("Empty: no e-mail before the date."),
        error_messages={"invalid": _RANGE, "min_value": _RANGE, "max_value": _RANGE},
    )
    days_after = forms.IntegerField(
        label=gettext_lazy("Days after the date has passed"),
        required=False,
        min_value=1,
        max_value=MOST_DAYS,
        help_text=gettext_lazy("Only while nobody has marked the plan as done. Empty: no e-mail afterwards."),
        error_messages={"invalid": _RANGE, "min_value": _RANGE, "max_value": _RANGE},
    )
    # The number of the settings on the page; a stale page is refused.
    seen = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, newest: ReminderSettings | None, **kwargs: Any) -> None:
        initial = {
            "is_on": newest.is_on if newest else False,
            "days_before": newest.days_before if newest else 14,
            "days_after": newest.days_after if newest else 7,
            "seen": newest.number if newest else 0,
        }
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("is_on") and not self.errors and not (data.get("days_before") or data.get("days_after")):
            self.add_error("days_before", _("Enter when to send them: days before the date, days after it, or both."))
        return data


class StopForm(forms.Form):
    reason = forms.ChoiceField(choices=StopReason.choices)
    # Whose address bounces, where the patient has two; the page does not hold it, for privacy mode.
    which = forms.ChoiceField(choices=[("record", "record"), ("account", "account")], required=False)
