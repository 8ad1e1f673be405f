"""Browsers in which an account has signed in before, where other people's guesses never slow down its owner.

A signed cookie identifies the browser and its accounts. It grants no access, only a separate allowance of wrong
guesses.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from allauth.account.signals import password_reset
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "dermascan_device"
REMEMBERED_FOR = timedelta(days=180)
# On a shared computer the account that signed in longest ago is forgotten first.
MOST_ACCOUNTS = 20
_SALT = "dermascan.known-device"


def known_device(request: HttpRequest, account: str) -> str | None:
    """Return the browser's identifier if ``account`` (a user's key) has signed in there before."""
    device, accounts = _read(request)
    return device if account and account in accounts else None


class KnownDeviceMiddleware:
    """Sets the cookie after a sign-in, or after a password was set through an e-mailed link."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        account = getattr(request, "signed_in_account", None)
        if account is not None:
            _write(request, response, account)
        return response


def _remember(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    if request is not None:
        request.signed_in_account = str(user.pk)  # type: ignore[attr-defined]


user_logged_in.connect(_remember, dispatch_uid="known-device-login")
password_reset.connect(_remember, dispatch_uid="known-device-reset")


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        device, accounts = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=REMEMBERED_FOR)
        return str(device), [str(account) for account in accounts]
    except (signing.BadSignature, ValueError, TypeError):
        return secrets.token_urlsafe(12), []


def _write(request: HttpRequest, response: HttpResponse, account: str) -> None:
    device, accounts = _read(request)
    accounts = [*(other for other in accounts if other != account), account][-MOST_ACCOUNTS:]
    response.set_cookie(
        COOKIE,
        signing.dumps([device, accounts], salt=_SALT),
        max_age=REMEMBERED_FOR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
