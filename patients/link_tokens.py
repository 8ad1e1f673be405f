"""Tokens for links with which account owners choose a password."""

from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import base36_to_int

from dermascan.core.clock import CLOCKS_APART


class LinkTokens(PasswordResetTokenGenerator):
    """allauth's tokens, but rejecting those from the future: setting the clock back must not extend a link's life."""

    def check_token(self, user: Any, token: str | None) -> bool:
        return super().check_token(user, token) and self._age(str(token)) >= -CLOCKS_APART.total_seconds()

    def _age(self, token: str) -> int:
        created_at: int = base36_to_int(token.split("-")[0])
        now: int = self._num_seconds(self._now())
        return now - created_at

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        # Imported here, because allauth imports this class while loading that module.
        from allauth.account.forms import EmailAwarePasswordResetTokenGenerator

        return EmailAwarePasswordResetTokenGenerator()._make_hash_value(user, timestamp)
