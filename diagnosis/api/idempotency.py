"""``Idempotency-Key``: a client that lost the answer may send its photographs again and gets the same answer."""

import json
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from dermascan.core.once import (
    HEADER,
    LONGEST_KEY,
    REPLAYED,
    attempt_of,
    earlier_result,
    has_other_content,
    keep_result,
    remember,
)
from diagnosis.api.problems import Problem


def once_per_key(request: Request, *, keeps: bool, work: Callable[[], dict[str, Any]]) -> Response:
    """Return the answer of ``work``, or the one that the same request with the same key was given before.

    Args:
        keeps: the request keeps photographs in a record. An answer about photographs that are not kept is not kept.
    """
    key = request.headers.get(HEADER, "")
    if len(key) > LONGEST_KEY:
        raise Problem(
            "malformed", _("Send an Idempotency-Key of at most %(count)d characters.") % {"count": LONGEST_KEY}
        )
    attempt = attempt_of(request._request, key=key) if key and keeps else None
    if attempt is None:
        return Response(work())
    remember(request._request, attempt)
    if earlier := earlier_result(attempt):
        return Response(json.loads(earlier.result), headers={REPLAYED: "true"})
    if has_other_content(attempt):
        raise Problem("key-reused", _("This Idempotency-Key was sent with another request. Send a new one."))
    answer = json.loads(JSONRenderer().render(work()))
    # A file that failed for reasons of ours may be sent again under the same key.
    if not any(result["status"] >= 500 for result in answer.get("results", [])):
        keep_result(attempt, answer)
    return Response(answer)
