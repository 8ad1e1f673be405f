"""How many predictions and explanations a member may ask for, and how many quick checks a visitor.

Counts are kept in the shared cache and hold over processes (dermascan.core.limits).
"""

from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from dermascan.core.client_address import client_network
from dermascan.core.limits import Limit, charge, whole_seconds


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
        limit = Limit(self.scope, self.num_requests, self.duration)
        self._retry_after = charge(limit, self.ident(request), cost=cost, now=self.timer())
        return not self._retry_after

    def wait(self) -> float:
        """Seconds until the refused request fits: the answer's Retry-After, a whole number."""
        return whole_seconds(self._retry_after)


class QuickCheckThrottle(SlidingThrottle):
    """For the quick check, which anyone may use: counts by address.

    In a view: ``if retry_after := QuickCheckThrottle().retry_after(request): …answer 429 with that header…``
    """

    scope = "quick_check"

    def ident(self, request: HttpRequest | Request) -> str:
        return _network(request)

    def retry_after(self, request: HttpRequest) -> int | None:
        """Count this request; return None if it may go on, else the seconds to wait (at least 1)."""
        return None if self.charge(request) else int(self.wait())


def _network(request: HttpRequest | Request) -> str:
    return client_network(request)
