"""Answers to the scripts of the upload page: JSON, and problem documents (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

from dermascan.core.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from patients.middleware import MemberRequest


def problem_body(code: str, message: str, status: int) -> dict[str, Any]:
    """Return a problem document; ``error`` and ``message`` are its short form."""
    kind = code.replace("_", "-")
    title = KINDS[kind][1] if kind in KINDS else HTTPStatus(status).phrase
    problem = {"type": TYPE_PREFIX + kind, "title": str(title), "status": status, "detail": message, "code": kind}
    return {**problem, "error": code, "message": message}


def json_response(request: MemberRequest, content: dict[str, Any], *, status: int) -> JsonResponse:
    if status < HTTPStatus.BAD_REQUEST:
        return JsonResponse(content, status=status)
    return JsonResponse({**content, "instance": request.path}, status=status, content_type=MEDIA_TYPE)
