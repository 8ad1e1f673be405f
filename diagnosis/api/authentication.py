"""Who is asking: a member's token."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import authentication, exceptions

_TOKEN = re.compile(r"[0-9a-f]{40}")


class TokenAuthentication(authentication.TokenAuthentication):
    """``Authorization: Token 9944b0…``; made by ``manage.py create_api_token USERNAME``."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        # What cannot be a token does not reach the database, which may refuse to compare it (NUL bytes).
        if not _TOKEN.fullmatch(key):
            raise exceptions.AuthenticationFailed(_("This token is not known."))
        return super().authenticate_credentials(key)
