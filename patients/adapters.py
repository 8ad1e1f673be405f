"""Accounts are made by a clinic's manager, never by visitors; mail about them waits in its row."""

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

_WRONG = _("No account has this user name or e-mail address with this password. Check both, or set a new password.")


class ClosedSignupAdapter(DefaultAccountAdapter):
    # One sentence, whichever of the two is wrong: nobody learns here who has an account.
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
        """Count the guess against who makes it. Signing in and giving the password again both come here."""
        account = account_of(credentials.get("username") or credentials.get("email") or "")
        guess = begin_guess(request, account=account)
        user = super().authenticate(request, **credentials)
        if user is not None:
            guess.was_right()
        return user

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Keep the mail as a row that a worker sends: no mail server holds a page up.

        The link of a password reset is left out and made when the mail goes, so that no row opens an account.
        """
        kind, user = MessageKind.ACCOUNT, context.get("user")
        written = letter_context(email=email, **{name: _without_its_host(value) for name, value in context.items()})
        if template_prefix == _PASSWORD_RESET:
            kind = MessageKind.PASSWORD_RESET
            written |= {"password_reset_url": LINK_TO_COME, "key": "", "uid": ""}
        mail = self.render_mail(template_prefix, email, written)
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
            return  # the page that follows says it, and what comes next
        super().add_message(request, level, message_template, *words, **more)

    def is_safe_url(self, url: str | None) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # “//[” and the like are no addresses at all
            return False


def _without_its_host(value: Any) -> Any:
    """Return an address that allauth made of the request's host at the site's own; other values as they are."""
    return at_this_site(value) if isinstance(value, str) and value.startswith(("http://", "https://")) else value
