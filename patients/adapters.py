"""Accounts are made by a clinic's manager, never by visitors."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .client_address import client_address
from .guessing import account_of, begin_guess

_WRONG = _("No account has this user name or email address with this password. Check both, or set a new password.")


class ClosedSignupAdapter(DefaultAccountAdapter):
    # One sentence, whichever of the two is wrong: nobody learns here who has an account.
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _WRONG,
        "email_password_mismatch": _WRONG,
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Count the guess against who makes it. Signing in and giving the password again both come here."""
        account = account_of(credentials.get("username") or credentials.get("email") or "")
        guess = begin_guess(request, account=account)
        user = super().authenticate(request, **credentials)
        if user is not None:
            guess.was_right()
        return user

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # “//[” and the like are no addresses at all
            return False
