"""What makes the link work with which the owner of an account chooses a password."""

from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import base36_to_int

from dermascan.core.clock import CLOCKS_APART


class LinkTokens(PasswordResetTokenGenerator):
    """allauth's; and where the clock is set back, what was made before works no longer than it would have."""

    def check_token(self, user: Any, token: str | None) -> bool:
        return super().check_token(user, token) and self._age(str(token)) >= -CLOCKS_APART.total_seconds()

    def _age(self, token: str) -> int:
        made_at: int = base36_to_int(token.split("-")[0])
        now: int = self._num_seconds(self._now())
        return now - made_at

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        # Imported here: allauth asks for this class while it imports that module.
        from allauth.account.forms import EmailAwarePasswordResetTokenGenerator

        return EmailAwarePasswordResetTokenGenerator()._make_hash_value(user, timestamp)
