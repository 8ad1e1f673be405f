"""The OpenAPI description of the health check."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers as fields

from diagnosis.api.schema import example

_CHECKS: dict[str, dict[str, Any]] = {
    "database": {},
    "engine": {},
    "queue": {"waiting": fields.IntegerField(allow_null=True, help_text="Tasks that no worker has started.")},
    "workers": {
        "alive": fields.IntegerField(help_text="Worker and scheduler processes with a recent heartbeat."),
        "lost": fields.ListField(
            child=fields.CharField(),
            help_text="Queues without a live worker; “schedule” is the scheduler.",
        ),
    },
    "files": {},
    "messages": {
        "waiting": fields.IntegerField(help_text="E-mails and webhook calls that have not been sent yet."),
        "late": fields.IntegerField(help_text="How many of those have failed before."),
        "undelivered": fields.IntegerField(help_text="Refused or given up, and still stored."),
        "oldest_seconds": fields.IntegerField(help_text="How long the oldest has waited."),
        "mail_server": fields.BooleanField(
            help_text="Whether a mail server is set up; without one, e-mails stay on the server."
        ),
    },
}


class StatusSchema(fields.Serializer[Any]):
    status = fields.ChoiceField([("ok", "ok"), ("failing", "failing")])
    model_version = fields.CharField(allow_null=True)
    checks = inline_serializer(
        "Checks",
        {
            name: inline_serializer(
                f"Check{name.title()}",
                {"status": fields.ChoiceField([("ok", "ok"), ("failing", "failing")]), **more},
            )
            for name, more in _CHECKS.items()
        },
    )


described = extend_schema(
    operation_id="status",
    summary="Service status",
    description="Needs no authentication. 200 if every part of the service works, 503 if one does not.",
    auth=[],
    responses={
        200: OpenApiResponse(StatusSchema, examples=[example("up", "status")]),
        503: OpenApiResponse(StatusSchema, description="A part of the service does not work."),
    },
)
