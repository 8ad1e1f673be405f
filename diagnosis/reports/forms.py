"""What a dermatologist says when signing, and afterwards."""

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


class AddendumForm(forms.Form):
    words = forms.CharField(
        label=_("What is to be added"),
        max_length=LONGEST_PLAN,
        widget=forms.Textarea({"rows": 8}),
        error_messages={"required": _("Write what is to be added; an empty addendum tells nobody anything.")},
        help_text=_("What has changed, why, and what happens next, in words the patient understands."),
    )
    # What the page showed; signing stops if labels have changed since, or somebody else has added something.
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
