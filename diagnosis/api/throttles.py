"""How many predictions and explanations a member may ask for, and how many quick checks a visitor.

Counts are kept in the shared cache and hold over processes (dermascan.core.limits).
"""

from django.http import HttpRequest
from rest_framework.request import Request

from dermascan.core.throttles import SlidingThrottle, _network


class MemberThrottle(SlidingThrottle):
    """Counts by account, so that a member's token and browser share one allowance."""

    def ident(self, request: HttpRequest | Request) -> str:
        return f"user {request.user.pk}" if request.user.is_authenticated else _network(request)


class PredictionThrottle(MemberThrottle):
    scope = "predictions"


class ExplanationThrottle(MemberThrottle):
    scope = "explanations"
