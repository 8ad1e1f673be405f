"""How many predictions and explanations a member may ask for, and how many quick checks a visitor.

Counts are kept in the shared cache and hold over processes: reading and writing them is one step, under a lock.
"""

import hashlib
import ipaddress
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from django.core.cache import cache, caches
from django.core.cache.backends.filebased import FileBasedCache
from django.core.files import locks
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

LOCK_SECONDS = 2


class SlidingThrottle(SimpleRateThrottle):
    """Let through at most the settings' rate of ``scope`` in any window of its length, for each who asks."""

    rate: str | None
    scope: str
    num_requests: int
    duration: int

    def get_rate(self) -> str | None:  # the stubs say number, the code parses text
        # Read when asked, not when imported, so that settings decide.
        return cast(str | None, api_settings.DEFAULT_THROTTLE_RATES[self.scope])

    def ident(self, request: HttpRequest | Request) -> str:
        """Name who is asking."""
        raise NotImplementedError

    def allow_request(self, request: HttpRequest | Request, view: Any = None) -> bool:
        return self.charge(request)

    def charge(self, request: HttpRequest | Request, cost: int = 1) -> bool:
        """Count ``cost`` against whoever asks and say if it still fits; what does not fit is not counted."""
        self._retry_after = 0.0
        if self.rate is None:
            return True
        now = self.timer()
        key = self._key(request)
        with _alone(key):
            counted = [(at, each) for at, each in cache.get(key, ()) if at > now - self.duration]
            room = self.num_requests - sum(each for _at, each in counted)
            if cost <= room:
                cache.set(key, [*counted, (now, cost)], self.duration)
                return True
        self._retry_after = self._seconds_until_it_fits(counted, cost - room, now)
        return False

    def wait(self) -> float:
        """Seconds until the refused request fits: the answer's Retry-After, a whole number."""
        return max(1, math.ceil(self._retry_after))

    def _seconds_until_it_fits(self, counted: list[tuple[float, int]], missing: int, now: float) -> float:
        for at, each in counted:
            missing -= each
            if missing <= 0:
                return at + self.duration - now
        # More at once than the rate ever allows: no wait will do, but a header must say something.
        return self.duration

    def _key(self, request: HttpRequest | Request) -> str:
        # Hashed: an address is personal, and a cache key may hold no blanks.
        return f"throttle-{self.scope}-{hashlib.sha256(self.ident(request).encode()).hexdigest()[:32]}"


class MemberThrottle(SlidingThrottle):
    """Counts by account, so that a member's token and browser share one allowance."""

    def ident(self, request: HttpRequest | Request) -> str:
        return f"user {request.user.pk}" if request.user.is_authenticated else _address(self, request)


class PredictionThrottle(MemberThrottle):
    scope = "predictions"


class ExplanationThrottle(MemberThrottle):
    scope = "explanations"


class QuickCheckThrottle(SlidingThrottle):
    """For the quick check, which anyone may use: counts by address.

    In a view: ``if retry_after := QuickCheckThrottle().retry_after(request): …answer 429 with that header…``
    """

    scope = "quick_check"

    def ident(self, request: HttpRequest | Request) -> str:
        return _address(self, request)

    def retry_after(self, request: HttpRequest) -> int | None:
        """Count this request; return None if it may go on, else the seconds to wait (at least 1)."""
        return None if self.charge(request) else int(self.wait())


def _address(throttle: SimpleRateThrottle, request: HttpRequest | Request) -> str:
    """The visitor's address, proxies as many as the settings name taken off; of IPv6 the /64 that one line gets."""
    text = throttle.get_ident(request) or ""  # type: ignore[arg-type]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"address {text}"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return f"network {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {getattr(address, 'ipv4_mapped', None) or address}"


@contextmanager
def _alone(key: str) -> Iterator[None]:
    """Keep others, in other processes too, from counting under ``key`` meanwhile."""
    backend = caches["default"]
    if isinstance(backend, FileBasedCache):
        # Files cannot add a key in one step; the machine's own locks can.
        with _locked(Path(backend._dir)):  # type: ignore[attr-defined]
            yield
        return
    given_up = time.monotonic() + LOCK_SECONDS
    while not cache.add(f"{key}-lock", 1, LOCK_SECONDS) and time.monotonic() < given_up:
        time.sleep(0.002)
    try:
        yield
    finally:
        cache.delete(f"{key}-lock")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "throttle.lock").open("a") as file:
        locks.lock(file, locks.LOCK_EX)
        try:
            yield
        finally:
            locks.unlock(file)
