"""allauth's forms with this site's labels and its limits on password guessing and reset e-mails."""

from typing import Any

from allauth.account import forms as account_forms
from allauth.core import context
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from patients.guessing import Secret, begin_guess, may_mail_a_reset_link
from patients.models import Clinic
from patients.services.account_letters import clinic_of

# Read by templates/account/password_reset_from_key_done.html.
PASSWORD_CHOSEN = "password_chosen"  # noqa: S105  (a key of the session)


class _SiteLabels:
    """Mixin that sets the site's field labels and removes placeholders that repeat the label."""

    labels: dict[str, Any] = {}
    # These fields get a "Forgotten your password?" link as help text.
    forgettable: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            field.label = self.labels.get(name, field.label)
            field.widget.attrs.pop("placeholder", None)
            if name in self.forgettable:
                field.help_text = format_html(
                    '<a href="{}">{}</a>', reverse("account_reset_password"), _("Forgotten your password?")
                )


_NEW_PASSWORD = {
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("New password (again)"),
}


class LoginForm(_SiteLabels, account_forms.LoginForm):
    labels = {
        "login": _("User name or e-mail address"),
        "password": _("Password"),
        "remember": _("Stay signed in on this device"),
    }
    forgettable = ("password",)


class ReauthenticatePasswordForm(_SiteLabels, account_forms.ReauthenticateForm):
    labels = {"password": _("Password")}
    forgettable = ("password",)


class ChangePasswordForm(_SiteLabels, account_forms.ChangePasswordForm):
    labels = _NEW_PASSWORD
    forgettable = ("oldpassword",)


class SetPasswordForm(_SiteLabels, account_forms.SetPasswordForm):
    labels = {"password1": _("Password"), "password2": _("Password (again)")}


class ResetPasswordForm(_SiteLabels, account_forms.ResetPasswordForm):
    labels = {"email": _("E-mail address")}

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        # The response is the same in both cases, so that it does not reveal who has an account.
        return str(super().save(request, **kwargs)) if may_mail_a_reset_link(request, email) else email


class ResetPasswordKeyForm(_SiteLabels, account_forms.ResetPasswordKeyForm):
    """Sets a password through an e-mailed link: the first password of a new account, or a replacement."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        user = kwargs.get("user")
        self.is_first = user is not None and not user.has_usable_password()
        self.labels = SetPasswordForm.labels if self.is_first else _NEW_PASSWORD
        super().__init__(*args, **kwargs)

    @property
    def clinic(self) -> Clinic | None:
        return clinic_of(self.user) if self.user else None

    def save(self) -> None:
        super().save()
        context.request.session[PASSWORD_CHOSEN] = {
            "is_first": self.is_first,
            "is_patient": hasattr(self.user, "patient") and not hasattr(self.user, "member"),
            "username": self.user.username,
        }


class _CodeForm(_SiteLabels, mfa_forms.BaseAuthenticateForm):
    labels = {"code": _("Code from your authenticator app")}

    def clean_code(self) -> str:
        guess = begin_guess(context.request, account=str(self.user.pk), secret=Secret.CODE)
        code = str(super().clean_code())
        guess.was_right()
        return code


class AuthenticateForm(_CodeForm, mfa_forms.AuthenticateForm):
    """The second step of signing in."""

    labels = {"code": _("Code")}


class ReauthenticateForm(_CodeForm, mfa_forms.ReauthenticateForm):
    """Confirms the user's identity by a code instead of the password, before a sensitive action."""


class ActivateTOTPForm(_SiteLabels, totp_forms.ActivateTOTPForm):
    labels = {"code": _("2. Enter the code that the app shows")}
