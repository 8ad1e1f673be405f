"""Throttles for predictions, explanations and quick checks, counted across processes (dermascan.core.limits)."""

from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from dermascan.core.client_address import client_network
from dermascan.core.limits import Limit, charge, whole_seconds


class SlidingThrottle(SimpleRateThrottle):
    """Allows each client the settings' rate for ``scope`` in any sliding window."""

    rate: str | None
    scope: str
    num_requests: int
    duration: int

    def get_rate(self) -> str | None:  # the stubs say number, the code parses text
        # Read per request, so that overridden settings apply.
        return cast(str | None, api_settings.DEFAULT_THROTTLE_RATES[self.scope])

    def ident(self, request: HttpRequest | Request) -> str:
        """Return the key that identifies the client."""
        raise NotImplementedError

    def allow_request(self, request: HttpRequest | Request, view: Any = None) -> bool:
        return self.charge(request)

    def charge(self, request: HttpRequest | Request, cost: int = 1) -> bool:
        """Charge ``cost`` to the client and return whether it is allowed; a refused request is not counted."""
        self._retry_after = 0.0
        if self.rate is None:
            return True
        limit = Limit(self.scope, self.num_requests, self.duration)
        self._retry_after = charge(limit, self.ident(request), cost=cost, now=self.timer())
        return not self._retry_after

    def wait(self) -> float:
        """Return the seconds until the refused request is allowed, a whole number for Retry-After."""
        return whole_seconds(self._retry_after)


class QuickCheckThrottle(SlidingThrottle):
    """The throttle of the public quick check, which counts by address.

    In a view: ``if retry_after := QuickCheckThrottle().retry_after(request): …answer 429 with that header…``
    """

    scope = "quick_check"

    def ident(self, request: HttpRequest | Request) -> str:
        return _network(request)

    def retry_after(self, request: HttpRequest) -> int | None:
        """Count this request; return None if it is allowed, else the seconds to wait (at least 1)."""
        return None if self.charge(request) else int(self.wait())


def _network(request: HttpRequest | Request) -> str:
    return client_network(request)
