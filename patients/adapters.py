"""The allauth adapter: sign-up is closed, since clinics create accounts, and e-mail goes through the outbox."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from dermascan.core.client_address import client_address
from dermascan.core.site import at_this_site
from patients.guessing import account_of, begin_guess
from patients.models import MessageKind, User
from patients.outbox import queue_message
from patients.services.account_letters import LINK_TO_COME, letter_context

_PASSWORD_CHANGED = "account/messages/password_changed.txt"  # noqa: S105  (a template)
_PASSWORD_RESET = "account/email/password_reset_key"  # noqa: S105  (a template)

_WRONG = _("The user name, e-mail address or password is wrong. Check what you entered, or reset your password.")


class ClosedSignupAdapter(DefaultAccountAdapter):
    # The same message whether the user name or the password is wrong, so as not to reveal who has an account.
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _WRONG,
        "email_password_mismatch": _WRONG,
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your password."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Authenticate and rate-limit the guess. Both sign-in and reauthentication call this."""
        account = account_of(credentials.get("username") or credentials.get("email") or "")
        guess = begin_guess(request, account=account)
        user = super().authenticate(request, **credentials)
        if user is not None:
            guess.was_right()
        return user

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the e-mail for a worker, so that no page waits for the mail server.

        The password reset link is inserted only at sending time, so that no stored row can open an account.
        """
        kind, user = MessageKind.ACCOUNT, context.get("user")
        values = letter_context(email=email, **{name: _at_own_origin(value) for name, value in context.items()})
        if template_prefix == _PASSWORD_RESET:
            kind = MessageKind.PASSWORD_RESET
            values |= {"password_reset_url": LINK_TO_COME, "key": "", "uid": ""}
        mail = self.render_mail(template_prefix, email, values)
        queue_message(
            kind,
            user=user if isinstance(user, User) else None,
            address=email,
            subject=str(mail.subject)[:255],
            body=str(mail.body),
        )

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *words: Any, **more: Any
    ) -> None:
        match = request.resolver_match
        if match and match.url_name == "account_reset_password_from_key" and message_template == _PASSWORD_CHANGED:
            return  # the next page says so itself
        super().add_message(request, level, message_template, *words, **more)

    def is_safe_url(self, url: str | None) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # not a URL at all, such as “//[”
            return False


def _at_own_origin(value: Any) -> Any:
    """Return ``value`` with the site's own origin if it is a URL (allauth uses the request's host)."""
    return at_this_site(value) if isinstance(value, str) and value.startswith(("http://", "https://")) else value
