"""What a dermatologist says when signing."""

from django import forms
from django.utils.translation import gettext_lazy as _

# As long as the visit's own form allows.
LONGEST_PLAN = 10_000


class SignForm(forms.Form):
    plan = forms.CharField(
        label=_("Plan"),
        required=False,
        max_length=LONGEST_PLAN,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("What happens next, in words the patient understands. It stands first in the report."),
    )
    release = forms.BooleanField(
        label=_("Release it to the patient at once"),
        required=False,
        help_text=_("Leave it unticked to release it later, from the visit’s page."),
    )
    # What the page showed; signing stops if the visit has changed since.
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
