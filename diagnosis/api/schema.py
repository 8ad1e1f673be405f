"""The OpenAPI description of each operation: responses, problems, examples."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from dermascan.core.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from diagnosis.api.response_bodies import AnswerSchema, BatchAnswerSchema, ExplanationSchema, ProblemSchema
from diagnosis.api.serializers import ExplanationSerializer, PredictBatchSerializer, PredictSerializer

EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text(encoding="utf-8"))


def example(name: str, key: str) -> OpenApiExample:
    """Return an example response of ``examples.json``."""
    return OpenApiExample(name, EXAMPLES[key], response_only=True)


def problems(*codes: str) -> dict[Any, Any]:
    """Return the responses for the problems with these codes, by status, with an example of each."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code][0], []).append(code)
    return {
        (status, MEDIA_TYPE): OpenApiResponse(
            ProblemSchema,
            description=", ".join(same),
            examples=[_problem_example(code) for code in same],
        )
        for status, same in by_status.items()
    }


def _problem_example(code: str) -> OpenApiExample:
    status, title = KINDS[code]
    problem = {
        "type": TYPE_PREFIX + code,
        "title": str(title),
        "status": status,
        "detail": str(title),
        "instance": "/api/v1/predict/",
        "code": code,
        **EXAMPLES["problem_members"].get(code, {}),
    }
    return OpenApiExample(code, problem, response_only=True)


_EVERYWHERE = ("malformed", "invalid", "authentication-failed", "token-expired", "permission-denied", "not-acceptable")
_BODIES = ("length-required", "too-large", "unsupported-media-type", "throttled")
_STORAGE = ("storage-unavailable", "storage-full")
_KEEPING = ("not-found", "already-uploaded", "visit-is-closed", "too-many-files", *_STORAGE)
_PICTURES = (
    "empty-file",
    "too-many-pixels",
    "not-an-image",
    "unsupported-image",
    "broken-image",
    "slow-image",
    "cannot-be-judged",
)

_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description=(
        "For requests that store photographs: any text, new for each request. If the response is lost, repeat the "
        "request with the same key within a day: it gets the same response, and nothing is stored twice."
    ),
)

predict = extend_schema(
    operation_id="predict",
    summary="Analyse one photograph",
    description=(
        "Without `lesion`, `visit` or `patient` nothing is stored. To store the photograph, send its `lesion`: it is "
        "added to the given `visit`, or else to the patient's open visit of today, or else to a new one. `patient` is "
        "only checked against the lesion. A photograph that is refused gets status 422, and is still stored if a "
        "lesion was given. For a photograph taken without a dermatoscope, `reliability` says so, and classes and "
        "figures are null. For a stored photograph, `tier`, `warnings` and `next_steps` are those of its page, which "
        "consider the whole record of the lesion. An empty id, an unknown field and anything in the query string get "
        "status 400, so that no photograph is lost through a typing error. `kind`, `device` and `taken_at` say how "
        "the photograph was taken; a stated kind only ever makes the answer more cautious."
    ),
    parameters=[_KEY],
    request={"multipart/form-data": PredictSerializer},
    responses={
        200: OpenApiResponse(AnswerSchema, examples=[example("kept", "answer")]),
        **problems(*_EVERYWHERE, *_BODIES, *_KEEPING, *_PICTURES, "engine-unavailable"),
    },
)
predict_batch = extend_schema(
    operation_id="predict_batch",
    summary=f"Analyse up to {settings.UPLOAD_MAX_FILES} photographs",
    description="One result or problem for each file, in order. Each file counts as one prediction.",
    parameters=[_KEY],
    request={"multipart/form-data": PredictBatchSerializer},
    responses={
        200: OpenApiResponse(
            BatchAnswerSchema,
            examples=[
                OpenApiExample(
                    "one of two",
                    {
                        "count": 2,
                        "failed": 1,
                        "results": [
                            {"index": 0, "filename": "mole.jpg", "status": 200, "result": EXAMPLES["answer"]},
                            {
                                "index": 1,
                                "filename": "notes.jpg",
                                "status": 415,
                                "problem": _problem_example("not-an-image").value,
                            },
                        ],
                    },
                    response_only=True,
                )
            ],
        ),
        **problems(*_EVERYWHERE, *_BODIES, "not-found", "too-many-files"),
    },
)
explanation = extend_schema(
    operation_id="explanation",
    summary="Explain a condition",
    request={
        "application/json": ExplanationSerializer,
        "multipart/form-data": ExplanationSerializer,
    },
    examples=[OpenApiExample("melanoma", {"condition": "mel", "language": "en"}, request_only=True)],
    responses={
        200: OpenApiResponse(ExplanationSchema, examples=[example("mel", "explanation")]),
        **problems(*_EVERYWHERE, *_BODIES),
    },
)
