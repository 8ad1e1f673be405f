"""The API of similar confirmed cases; the same cases as on the page."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from dermascan.core.site import site_link
from diagnosis.api.image_links import image_link
from diagnosis.api.permissions import member_of
from diagnosis.api.response_bodies import ImageLinkSchema, ShownAnswerSchema, TierSchema
from diagnosis.api.results import disclaimer
from diagnosis.api.schema import example, problems
from diagnosis.api.views import ApiView
from diagnosis.api.warnings import warning_fields_of_image
from diagnosis.images.models import Image
from diagnosis.reports.content import settled_label
from diagnosis.reviews.answers import answer_choices, malignancy_of
from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.diagnoses import BY_CODE
from diagnosis.reviews.review_words import answer_name, icd10_of
from diagnosis.similar.services import SimilarCases, search_cases
from mlmodel.taxonomy import Malignancy


class SimilarCaseSchema(fields.Serializer[Any]):
    code = fields.CharField(help_text="The confirmed diagnosis: one of the seven classes or another one.")
    name = fields.CharField()
    malignancy = fields.ChoiceField([(each.value, each.value) for each in Malignancy])
    icd10 = fields.CharField()
    body_site = fields.CharField()
    age_band = fields.CharField(help_text="Age at the time of the photograph, as a ten-year band.")
    sex = fields.CharField(allow_null=True)
    similarity = fields.FloatField(help_text="Cosine similarity; 1 means identical to the network.")
    likeness = fields.CharField(help_text="The similarity in words.")
    thumbnail = fields.CharField(help_text="A URL; where `image` is null, the picture itself (`data:`).")
    image = ImageLinkSchema(
        allow_null=True, help_text="Null unless it is of the same patient, or of one whom you treat."
    )


class ConfirmedSchema(fields.Serializer[Any]):
    """The confirmed label: one of the seven classes, another diagnosis with a code, or free text."""

    code = fields.ChoiceField(answer_choices())
    name = fields.CharField()
    malignancy = fields.ChoiceField(
        [(each.value, each.value) for each in Malignancy],
        allow_null=True,
        help_text="Null if unknown, or if there is no disease.",
    )
    icd10 = fields.CharField(allow_null=True)
    snomed_ct = fields.CharField(allow_null=True)


class SimilarCasesSchema(ShownAnswerSchema):
    tier = TierSchema(
        allow_null=True, help_text="As its page shows it; null if the photograph was not analysed or is excluded."
    )
    network_tier = TierSchema(allow_null=True)
    image = ImageLinkSchema()
    confirmed = ConfirmedSchema(allow_null=True, help_text="The confirmed label of this photograph.")
    cases = SimilarCaseSchema(many=True)
    compared = fields.IntegerField(help_text="How many confirmed photographs of other lesions were compared.")
    notice = fields.CharField()
    disclaimer = fields.CharField()


_described = extend_schema(
    operation_id="similar",
    summary="Confirmed cases that look like a photograph",
    description=(
        "At most five cases of other lesions, most similar first: those of your clinic and those of other clinics' "
        "patients who consented to sharing. They are de-identified unless they are of the same patient, or of one "
        "whom you treat: whose visit you were the clinician of, or whose photograph you have reviewed. Empty if no "
        "case is alike enough (a cosine similarity of 0.85), if nothing is confirmed yet, or if the active network "
        "has not analysed the photograph."
    ),
    responses={
        200: OpenApiResponse(
            SimilarCasesSchema,
            examples=[example("another clinic's", "similar")],
        ),
        **problems("malformed", "authentication-failed", "permission-denied", "not-found", "not-acceptable"),
    },
)


class SimilarView(ApiView):
    @_described
    def get(self, request: Request, image_id: UUID) -> Response:
        member = member_of(request)
        image = get_object_or_404(
            Image.objects.visible_to(member).select_related("lesion", "label__review"), pk=image_id
        )
        note_seen(member, [image])
        return Response(_answer(image, search_cases(image=image, member=member)))


def _answer(image: Image, found: SimilarCases) -> dict[str, Any]:
    """Return the cases similar to ``image``. Those of patients whom the member does not treat hold no link."""
    return {
        "image": image_link(image),
        **warning_fields_of_image(image),
        "confirmed": _confirmed(image),
        "cases": [
            {
                "code": case.code,
                "name": case.label,
                "malignancy": malignancy_of(case.code),
                "icd10": icd10_of(case.code),
                "body_site": case.body_site,
                "age_band": case.age_band,
                "sex": case.sex or None,
                "similarity": round(case.similarity, 3),
                "likeness": case.likeness,
                "thumbnail": case.thumbnail if case.image is None else site_link(case.thumbnail),
                "image": image_link(case.image) if case.image else None,
            }
            for case in found.cases
        ],
        "compared": found.compared,
        "notice": _("These photographs look alike to the network. That is not evidence by itself."),
        "disclaimer": disclaimer(),
    }


def _confirmed(image: Image) -> dict[str, Any] | None:
    label = settled_label(image)
    if label is None or label.review is None:
        return None
    diagnosis = BY_CODE.get(label.answer)
    return {
        "code": label.answer,
        "name": answer_name(label.answer, label.review.other_text),
        "malignancy": malignancy_of(label.answer),
        "icd10": diagnosis.icd10 if diagnosis else None,
        "snomed_ct": (diagnosis.snomed_ct or None) if diagnosis else None,
    }
