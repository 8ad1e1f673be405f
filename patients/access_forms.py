"""Forms with which a clinic gives and ends access: patients' accounts and tokens for the API."""

import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.edit_forms import EditForm
from patients.models import ClosureReason, Patient, User
from patients.services import is_known_to_be_wrong, may_correct_address


class AccountForm(EditForm, forms.Form):
    """The account with which ``patient`` reads released reports."""

    email = forms.EmailField(
        label=_("E-mail address of the patient"),
        max_length=254,
        widget=forms.EmailInput({"inputmode": "email", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter the patient’s e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
    )

    # Shown only if an account of this patient was closed because its address was wrong.
    is_right = forms.BooleanField(
        label=_("This is the patient's own address, although it was recorded as wrong before"), required=False
    )

    edits_a_record = True

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        account = self.account = patient.user
        email = account.email if account and account.email else patient.email
        kwargs.setdefault("initial", {"email": "" if is_known_to_be_wrong(email, patient=patient) else email})
        super().__init__(*args, **kwargs)
        if not patient.account_closures.filter(reason=ClosureReason.WRONG_ADDRESS).exists():
            del self.fields["is_right"]
        if account and not may_correct_address(account):
            self.fields["email"].disabled = True
            self.fields["email"].help_text = _(
                "A password was chosen with a link sent to this address. If the address is wrong or has changed, "
                "close the account and create a new one for the patient."
            )

    def stored_values(self) -> dict[str, Any]:
        if self.account is None or not may_correct_address(self.account):
            return {}
        return {"email": self.account.email}

    def edited_record(self) -> User | None:
        return self.account


class CloseAccountForm(forms.Form):
    """The reason for closing a patient's account."""

    account = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(
        label=_("Why?"),
        choices=ClosureReason,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why the account is closed.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_("For the clinic, stored with the record. Required for “Another reason”."),
    )

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("reason") == ClosureReason.OTHER and not self.cleaned_data.get("note", "").strip():
            words = _("Enter briefly why the account is closed.")
            self.add_error("note", forms.ValidationError(words, code="note_missing"))


class ApiTokenForm(forms.Form):
    """A new token for the API."""

    name = forms.CharField(
        label=_("What is it for?"),
        max_length=80,
        help_text=_("For example, the program or computer that will use it."),
        widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": _("Enter a few words so that you recognise the token later.")},
    )
    days = forms.TypedChoiceField(
        label=_("How long should it work?"),
        coerce=int,
        choices=[(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("A year"))],
        initial=90,
        error_messages={"invalid_choice": _("Choose one of the periods.")},
    )

    @property
    def expires_at(self) -> datetime.datetime:
        return timezone.now() + datetime.timedelta(days=self.cleaned_data["days"])
