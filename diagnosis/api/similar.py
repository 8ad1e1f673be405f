"""Confirmed cases that look like a photograph, for programs: the same as on the page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from diagnosis.api.answers import disclaimer
from diagnosis.api.links import image_link
from diagnosis.api.permissions import member_of
from diagnosis.api.schema import ImageLinkSchema, problems
from diagnosis.api.views import ApiView
from diagnosis.models import Image
from diagnosis.similar.cases import SimilarCase, similar_cases
from mlmodel.taxonomy import CODES


class SimilarCaseSchema(fields.Serializer[Any]):
    code = fields.CharField(help_text="The confirmed diagnosis: " + ", ".join(CODES))
    name = fields.CharField()
    body_site = fields.CharField()
    age_band = fields.CharField(help_text="The age when photographed, to ten years.")
    sex = fields.CharField(allow_null=True)
    similarity = fields.FloatField(help_text="Cosine, 1 for what looks the same to the network.")
    likeness = fields.CharField(help_text="The same in words.")
    thumbnail = fields.CharField(help_text="An address; of another clinic's case the picture itself (`data:`).")
    image = ImageLinkSchema(allow_null=True, help_text="Null for another clinic's case.")


class SimilarCasesSchema(fields.Serializer[Any]):
    image = ImageLinkSchema()
    cases = SimilarCaseSchema(many=True)
    notice = fields.CharField()
    disclaimer = fields.CharField()


_described = extend_schema(
    operation_id="similar",
    summary="Confirmed cases that look like a photograph",
    description=(
        "At most five, of other lesions, the most alike first: those of your clinic, and de-identified those of other "
        "clinics' patients who agreed to that. Empty where nothing is confirmed yet, and for a photograph that "
        "today's network has not judged."
    ),
    responses={
        200: OpenApiResponse(
            SimilarCasesSchema,
            examples=[
                OpenApiExample(
                    "another clinic's",
                    {
                        "image": {
                            "id": "0b5d3c1e-6a0f-4f0e-9d6f-2f6d6f3b8f11",
                            "url": "…",
                            "lesion": "…",
                            "visit": "…",
                        },
                        "cases": [
                            {
                                "code": "mel",
                                "name": "Melanoma",
                                "body_site": "Back",
                                "age_band": "60–69",
                                "sex": "Male",
                                "similarity": 0.874,
                                "likeness": "Very alike",
                                "thumbnail": "data:image/jpeg;base64,…",
                                "image": None,
                            }
                        ],
                        "notice": "These photographs look alike to the network. That is not evidence by itself.",
                        "disclaimer": "Decision support, not a diagnosis: a dermatologist decides.",
                    },
                    response_only=True,
                )
            ],
        ),
        **problems("malformed", "authentication-failed", "permission-denied", "not-found", "not-acceptable"),
    },
)


class SimilarView(ApiView):
    @_described
    def get(self, request: Request, image_id: UUID) -> Response:
        member = member_of(request)
        image = get_object_or_404(Image.objects.visible_to(member).select_related("lesion"), pk=image_id)
        cases = similar_cases(image=image, member=member)
        return Response(_answer(image, cases, request=request))


def _answer(image: Image, cases: Sequence[SimilarCase], *, request: Request) -> dict[str, Any]:
    """Confirmed cases that look like ``image``. Another clinic's have no ``image``, and nothing that leads to one."""
    return {
        "image": image_link(image, request),
        "cases": [
            {
                "code": case.code,
                "name": case.label,
                "body_site": case.body_site,
                "age_band": case.age_band,
                "sex": case.sex or None,
                "similarity": round(case.similarity, 3),
                "likeness": case.likeness,
                "thumbnail": case.thumbnail if case.image is None else request.build_absolute_uri(case.thumbnail),
                "image": image_link(case.image, request) if case.image else None,
            }
            for case in cases
        ],
        "notice": _("These photographs look alike to the network. That is not evidence by itself."),
        "disclaimer": disclaimer(),
    }
