"""The API of what became of a lesion: its specimens, their confirmed results, excised or closed; as in the report."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from dermascan.core.site import site_link
from diagnosis.api.permissions import member_of
from diagnosis.api.schema import example, problems
from diagnosis.api.views import ApiView
from diagnosis.outcomes.models import ClosureReason, Margins, SpecimenKind
from diagnosis.outcomes.models.pathology import Invasion, Ulceration
from diagnosis.outcomes.states import LesionState, outcome_of
from diagnosis.reports.outcome_in_report import outcome_in_report
from patients.models import Lesion


class PathologySchema(fields.Serializer[Any]):
    """What the laboratory stated, once a dermatologist has confirmed it."""

    received_on = fields.DateField()
    reported_by = fields.CharField(allow_blank=True)
    answer = fields.CharField(help_text="The code of the diagnosis, as `code` of a confirmed label.")
    name = fields.CharField()
    malignancy = fields.CharField(allow_blank=True, help_text="In words; empty if it names no disease.")
    invasion = fields.ChoiceField(Invasion.choices, allow_blank=True, help_text="Of a melanoma; empty if not stated.")
    breslow_mm = fields.CharField(allow_null=True, help_text="Breslow thickness in mm, of an invasive melanoma.")
    ulceration = fields.ChoiceField(Ulceration.choices, allow_blank=True)
    margins = fields.ChoiceField(Margins.choices)
    details = fields.CharField(help_text="The diagnosis with what was measured, in words.")
    margins_words = fields.CharField(allow_blank=True, help_text="Empty if they were not stated.")


class SpecimenSchema(fields.Serializer[Any]):
    id = fields.UUIDField()
    kind = fields.CharField(help_text="One of: " + ", ".join(SpecimenKind.values))
    kind_words = fields.CharField()
    number = fields.CharField(allow_blank=True, help_text="The laboratory's number; empty if it is not known yet.")
    title = fields.CharField()
    sent_on = fields.DateField()
    laboratory = fields.CharField(allow_blank=True)
    result = PathologySchema(allow_null=True, help_text="Null while it is awaited, or not confirmed.")


class LesionOutcomeSchema(fields.Serializer[Any]):
    lesion = fields.UUIDField()
    url = fields.CharField(help_text="The page of the lesion.")
    state = fields.ChoiceField(LesionState.choices, help_text="As far as results are confirmed.")
    state_words = fields.CharField()
    specimens = SpecimenSchema(many=True, help_text="Newest first, without those recorded by mistake.")
    closed = inline_serializer(
        "LesionClosed",
        {"on": fields.DateField(), "why": fields.ChoiceField(ClosureReason.choices), "words": fields.CharField()},
        allow_null=True,
        help_text="Null unless a dermatologist has closed the lesion.",
    )


_described = extend_schema(
    operation_id="lesion_outcome",
    summary="What became of a lesion",
    description=(
        "Its specimens with what the laboratory stated, and whether it was excised or closed. A result counts once a "
        "dermatologist has confirmed it. The signed report of a visit holds the same for each of its lesions."
    ),
    responses={
        200: OpenApiResponse(LesionOutcomeSchema, examples=[example("an excised melanoma", "lesion_outcome")]),
        **problems("malformed", "authentication-failed", "permission-denied", "not-found", "not-acceptable"),
    },
)


class LesionOutcomeView(ApiView):
    @_described
    def get(self, request: Request, lesion_id: UUID) -> Response:
        lesions = Lesion.objects.visible_to(member_of(request)).select_related("patient__clinic")
        lesion = get_object_or_404(lesions, pk=lesion_id)
        link = {"lesion": str(lesion.pk), "url": site_link(lesion.get_absolute_url())}
        return Response({**link, **outcome_in_report(outcome_of(lesion))})
