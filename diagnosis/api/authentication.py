"""Authentication by a member's token."""

from typing import Any

from rest_framework import authentication, exceptions

from dermascan.core.client_address import client_network
from dermascan.core.limits import Limit, charge
from patients.audit import note
from patients.models import AuditAction, AuditOutcome
from patients.services import TokenExpired, TokenUnknown, use_api_token

# Beyond it, guesses from one network are not written, so that nobody fills the audit trail.
_TOLD_GUESSES = Limit("audit-token-guess", 30, 60)


class ExpiredToken(exceptions.AuthenticationFailed):
    """An expired token. It has its own code, since retrying does not help."""


class TokenAuthentication(authentication.TokenAuthentication):
    """``Authorization: Token 9944b0…``; created on the page “API tokens” or by ``manage.py create_api_token``."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        """Return the member's user and the token; a wrong one is a failed sign-in, told in the audit trail."""
        try:
            found: tuple[Any, Any] | None = super().authenticate(request)
        except exceptions.AuthenticationFailed:
            if not charge(_TOLD_GUESSES, client_network(request._request)):
                note(AuditAction.SIGN_IN_FAILED, kind="api token", outcome=AuditOutcome.REFUSED)
            raise
        return found

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        try:
            token = use_api_token(key)
        except TokenExpired as error:
            raise ExpiredToken(str(error)) from None
        except TokenUnknown as error:
            raise exceptions.AuthenticationFailed(str(error)) from None
        return token.member.user, token
