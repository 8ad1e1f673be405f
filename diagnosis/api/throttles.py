"""Rate limits for a member's predictions and explanations.

Counts are stored in the shared cache and hold across processes (dermascan.core.limits).
"""

from django.http import HttpRequest
from rest_framework.request import Request

from dermascan.core.throttles import SlidingThrottle, _network


class MemberThrottle(SlidingThrottle):
    """A limit per account, shared by a member's token and browser."""

    def ident(self, request: HttpRequest | Request) -> str:
        return f"user {request.user.pk}" if request.user.is_authenticated else _network(request)


class PredictionThrottle(MemberThrottle):
    scope = "predictions"


class ExplanationThrottle(MemberThrottle):
    scope = "explanations"
