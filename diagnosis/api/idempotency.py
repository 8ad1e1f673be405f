"""``Idempotency-Key``: a client that lost a response may repeat the request and gets the same response."""

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
from patients.audit import note_list


def once_per_key(request: Request, *, keeps: bool, work: Callable[[], dict[str, Any]]) -> Response:
    """Return the response of ``work``, or the stored response to the same request with the same key.

    Args:
        keeps: whether the request stores photographs in a record. Otherwise its response is not stored either.
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
        note_list("answers", 1)
        return Response(json.loads(earlier.result), headers={REPLAYED: "true"})
    if has_other_content(attempt):
        raise Problem("key-reused", _("This Idempotency-Key was used for another request. Send a new key."))
    answer = json.loads(JSONRenderer().render(work()))
    # A file that failed with a server error may be sent again with the same key.
    if not any(result["status"] >= 500 for result in answer.get("results", [])):
        keep_result(attempt, answer)
    return Response(answer)
