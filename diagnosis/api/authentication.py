"""Authentication by a member's token."""

from typing import Any

from rest_framework import authentication, exceptions

from patients.services import TokenExpired, TokenUnknown, use_api_token


class ExpiredToken(exceptions.AuthenticationFailed):
    """An expired token. It has its own code, since retrying does not help."""


class TokenAuthentication(authentication.TokenAuthentication):
    """``Authorization: Token 9944b0…``; created on the page “API tokens” or by ``manage.py create_api_token``."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        try:
            token = use_api_token(key)
        except TokenExpired as error:
            raise ExpiredToken(str(error)) from None
        except TokenUnknown as error:
            raise exceptions.AuthenticationFailed(str(error)) from None
        return token.member.user, token
