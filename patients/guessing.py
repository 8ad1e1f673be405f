"""Rate limits on guessing passwords and codes, which slow the attacker and never lock out the account's owner.

A browser in which the account has signed in before has its own limit. All other requests are limited by IP address,
and by IP address and account. If many addresses guess at one account, their attempts are admitted one at a time, a
few seconds apart, which delays unknown devices only briefly.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dermascan.core.client_address import client_network
from dermascan.core.limits import Limit, charge, refund, whole_seconds
from patients.known_devices import known_device
from patients.models import User

# Wrong guesses.
_BY_DEVICE = Limit("guess-device", 10, 300)
_BY_ADDRESS = (Limit("guess-minute", 10, 60), Limit("guess-hour", 100, 3600))
_BY_ADDRESS_AND_ACCOUNT = Limit("guess-account", 5, 300)


class Secret(Enum):
    """What is guessed. The values are the wrong guesses an account allows in total and the delay beyond that."""

    PASSWORD = (Limit("guess-password", 30, 600), Limit("guess-password-delay", 1, 5))
    CODE = (Limit("guess-code", 10, 3600), Limit("guess-code-delay", 1, 30))

    @property
    def ample(self) -> Limit:
        return self.value[0]

    @property
    def delay(self) -> Limit:
        return self.value[1]


# All posts to the account pages: limited by account and address if a user is signed in, otherwise by address.
_FORMS = {
    "account_login": Limit("sign-ins", 60, 60),
    "account_reset_password": Limit("resets", 20, 60),
    "account_reset_password_from_key": Limit("new-passwords", 20, 60),
    "account_change_password": Limit("password-changes", 10, 60),
    "account_reauthenticate": Limit("sign-ins-again", 10, 60),
    "mfa_reauthenticate": Limit("sign-ins-again", 10, 60),
    "mfa_authenticate": Limit("second-steps", 60, 60),
}
# Reset e-mails that unknown devices may request for one address. Further ones are silently dropped.
_RESET_MAILS = Limit("reset-mails", 5, 3600)


@dataclass
class Guess:
    """One guess, charged as wrong until ``was_right`` is called."""

    charged: list[tuple[Limit, str]] = field(default_factory=list)

    def was_right(self) -> None:
        for limit, who in self.charged:
            refund(limit, who)
        self.charged.clear()


def begin_guess(request: HttpRequest, *, account: str, secret: Secret = Secret.PASSWORD) -> Guess:
    """Charge a guess at ``account``. Raises ``ImmediateHttpResponse`` with a 429 page if a limit is exceeded."""
    guess = Guess()
    if device := known_device(request, account):
        wait = _charge(guess, _BY_DEVICE, f"{secret.name} {device} {account}")
    else:
        network = client_network(request)
        wait = (
            _charge(guess, _BY_ADDRESS[0], network)
            or _charge(guess, _BY_ADDRESS[1], network)
            or _charge(guess, _BY_ADDRESS_AND_ACCOUNT, f"{secret.name} {network} {account}")
            or (_charge(guess, secret.ample, account) and _charge(guess, secret.delay, account))
        )
    if wait:
        guess.was_right()  # a guess that is not tried is not charged
        raise ImmediateHttpResponse(please_wait(request, seconds=whole_seconds(wait)))
    return guess


def account_of(login: str) -> str:
    """Return the key of the account for ``login``; its user name and e-mail address share one allowance."""
    login = login.strip().lower()
    user = User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login)).order_by("pk").first()
    return str(user.pk) if user else f"nobody {login}"


def may_mail_a_reset_link(request: HttpRequest, email: str) -> bool:
    """Return whether one more link may be sent to ``email``; a known device may always request one."""
    account = account_of(email)
    return bool(known_device(request, account)) or not charge(_RESET_MAILS, account)


def please_wait(request: HttpRequest, *, seconds: int, back: str = "account_login") -> HttpResponse:
    """Return a 429 page that says when to try again; ``back`` is the URL name of the page to return to."""
    context = {"seconds": seconds, "minutes": -(-seconds // 60), "back": back}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


class AccountFormsMiddleware:
    """Limits how often the account forms are submitted, since each submission costs a slow hash or an e-mail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.url_name if request.resolver_match else None
        limit = _FORMS.get(name or "") if request.method == "POST" else None
        if limit is None:
            return None
        network = client_network(request)
        who = f"user {request.user.pk} {network}" if request.user.is_authenticated else network
        wait = charge(limit, who)
        return please_wait(request, seconds=whole_seconds(wait), back=str(name)) if wait else None


def _charge(guess: Guess, limit: Limit, who: str) -> float:
    wait = charge(limit, who)
    if not wait:
        guess.charged.append((limit, who))
    return wait
