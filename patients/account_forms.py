"""allauth's forms, with our limits on guessing and on mails."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.core import context
from allauth.mfa.base import forms as mfa_forms
from django.http import HttpRequest

from .guessing import Secret, begin_guess, may_mail_a_reset_link


class ResetPasswordForm(account_forms.ResetPasswordForm):
    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        # The answer is the same: nobody learns here who has an account.
        return str(super().save(request, **kwargs)) if may_mail_a_reset_link(request, email) else email


class _CodeForm(mfa_forms.BaseAuthenticateForm):
    def clean_code(self) -> str:
        guess = begin_guess(context.request, account=str(self.user.pk), secret=Secret.CODE)
        code = str(super().clean_code())
        guess.was_right()
        return code


class AuthenticateForm(_CodeForm, mfa_forms.AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateForm(_CodeForm, mfa_forms.ReauthenticateForm):
    """A code in place of the password, before something that needs one."""
