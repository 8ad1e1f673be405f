"""What the OpenAPI description says of each operation: answers, problems, examples."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers as fields

from dermascan.core.problems import KINDS, MEDIA_TYPE, TYPE_PREFIX
from diagnosis.api.serializers import ExplanationSerializer, PredictBatchSerializer, PredictSerializer
from diagnosis.images.models import QualityVerdict, Tier
from diagnosis.images.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS
from mlmodel.explanations.explained import SECTIONS
from mlmodel.network.quality import Reliability
from mlmodel.segmentation.dermoscopic_colours import COLOURS
from mlmodel.segmentation.segmenter import OutlineProblem
from mlmodel.taxonomy import BY_CODE, CODES

_IMAGE_ID = "0b5d3c1e-6a0f-4f0e-9d6f-2f6d6f3b8f11"


class QualitySchema(fields.Serializer[Any]):
    verdict = fields.ChoiceField(QualityVerdict.choices)
    measures = fields.DictField(child=fields.FloatField())


class ImageLinkSchema(fields.Serializer[Any]):
    id = fields.UUIDField()
    url = fields.CharField(help_text="The page that shows it.")
    lesion = fields.UUIDField()
    visit = fields.UUIDField()


class TierSchema(fields.Serializer[Any]):
    code = fields.ChoiceField(Tier.choices)
    text = fields.CharField()


class WarningSchema(fields.Serializer[Any]):
    text = fields.CharField(help_text="For people to read: show it with the answer.")
    url = fields.CharField(allow_null=True, help_text="The page of what it speaks of.")


class SignsSchema(fields.Serializer[Any]):
    """How a photograph is to be read: as its page shows it."""

    tier = TierSchema(
        allow_null=True,
        help_text=(
            "How urgent it is with all that is known: of a kept photograph the colour and words of its page, which "
            "another photograph of the lesion, what the patient says or a dermatologist's label can make more urgent "
            "than the network's own answer; beside a harmless label an urgent one is “watch”. At least “watch” "
            "where the answer cannot be relied on. Null of a photograph that was set aside: it does not count."
        ),
    )
    network_tier = TierSchema(help_text="What the network alone said. Never show it without `tier` and `warnings`.")
    warnings = WarningSchema(many=True, help_text="What else is known, the most urgent first; show all of it.")
    next_steps = fields.ListField(
        child=fields.CharField(), help_text="What to do next, in order; what must be found out comes first."
    )


class ProblemSchema(fields.Serializer[Any]):
    """RFC 9457."""

    type = fields.CharField(help_text=f"“{TYPE_PREFIX}” and the code.")
    title = fields.CharField()
    status = fields.IntegerField()
    detail = fields.CharField(help_text="What to do about it.")
    instance = fields.CharField()
    code = fields.ChoiceField([(code, code) for code in KINDS])
    errors = fields.DictField(  # type: ignore[assignment]  # a field here, not the serializer's own errors
        child=fields.ListField(child=fields.CharField()), required=False, help_text="By field."
    )
    retry_after = fields.IntegerField(required=False, help_text="Seconds; also in the header Retry-After.")
    quality = QualitySchema(required=False)
    reason = fields.CharField(required=False, help_text="Why the photograph cannot be judged.")
    advice = fields.ListField(child=fields.CharField(), required=False, help_text="How to take a better one.")
    image = ImageLinkSchema(required=False, allow_null=True, help_text="The photograph, where it is kept.")
    warnings = WarningSchema(
        many=True, required=False, help_text="What else is known of a kept photograph that cannot be judged."
    )
    disclaimer = fields.CharField(required=False)


class ExplanationSchema(fields.Serializer[Any]):
    # “source” is a word of the framework's own; inside a description it is only a name.
    sections = inline_serializer("Sections", {name: fields.CharField() for name in SECTIONS})
    code = fields.CharField(help_text="The condition explained: " + ", ".join(CODES))
    urgency = fields.CharField(
        help_text="How soon to seek care. Where the tier may ask for more haste than the condition, the tier speaks."
    )
    urgency_from = fields.ChoiceField(
        [("result", "The tier of this result"), ("condition", "The condition in general")],
        help_text="Whose word `urgency` is.",
    )
    sources = fields.ListField(
        child=inline_serializer("Source", {"title": fields.CharField(), "url": fields.CharField()})
    )
    model_name = fields.CharField(allow_null=True, help_text="The language model, if one wrote this.")
    language = fields.CharField()

    def get_fields(self) -> dict[str, Any]:
        writers = [("library", "Our own library"), ("gemini", "A language model")]
        return {"source": fields.ChoiceField(writers, help_text="Who wrote this."), **super().get_fields()}


class _ByCode(fields.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {code: fields.FloatField(min_value=0, max_value=1) for code in CODES}


class ProbabilitiesSchema(_ByCode):
    """Calibrated probabilities by code; they sum to 1."""


class EqualPriorScoresSchema(_ByCode):
    """The same logits with the training class mix divided out; they sum to 1."""


class MeasurementsSchema(fields.Serializer[Any]):
    """Asymmetry, border, colours and diameter. Measured on the photograph, and no part of the probabilities."""

    doubt = inline_serializer(
        "MeasurementDoubt",
        {
            "code": fields.ChoiceField([(str(doubt), str(doubt)) for doubt in OutlineProblem]),
            "text": fields.CharField(),
        },
        allow_null=True,
        help_text="Why nothing was measured; null if it was.",
    )
    is_cut = fields.BooleanField(help_text="The lesion goes on beyond the centre square: it has no A and no B.")
    outline = fields.ListField(
        child=fields.ListField(child=fields.FloatField(), min_length=2, max_length=2),
        allow_null=True,
        help_text="A closed polygon: x and y in pixels of the photograph.",
    )
    asymmetry = inline_serializer(
        "Asymmetry",
        {
            "shape": fields.FloatField(help_text="Share outside the mirror image, mean of two axes."),
            "axes": fields.ListField(child=fields.FloatField(), min_length=2, max_length=2),
            "colour": fields.FloatField(help_text="Mean difference of mirrored places, CIE 1976 ΔE."),
        },
        allow_null=True,
    )
    border = inline_serializer(
        "Border",
        {
            "compactness": fields.FloatField(help_text="Perimeter² / (4 π area): 1 for a circle."),
            "solidity": fields.FloatField(help_text="Area by that of the convex hull."),
        },
        allow_null=True,
    )
    colours = inline_serializer(
        "Colours",
        {
            "shares": inline_serializer("ColourShares", {str(each): fields.FloatField() for each in COLOURS}),
            "present": fields.ListField(child=fields.CharField(), help_text="Those with 5 % or more, largest first."),
        },
        allow_null=True,
    )
    diameter = inline_serializer(
        "Diameter",
        {
            "share_of_width": fields.FloatField(help_text="The longest diameter by the photograph's width."),
            "mm": fields.FloatField(allow_null=True, help_text="Null unless somebody stated how wide the picture is."),
        },
        allow_null=True,
    )
    segmenter = fields.CharField(help_text="SHA-256 of the network that drew the outline.")
    note = fields.CharField()


class NotReliableSchema(fields.Serializer[Any]):
    """What the API states about an answer that cannot be relied on. Never show it as the answer."""

    warning = fields.CharField()
    advice = fields.ListField(child=fields.CharField(), help_text="How to take a dermatoscopic photograph.")
    class_order = fields.ListField(child=fields.CharField(), help_text="Codes, most probable first; mostly wrong.")


class AnswerSchema(SignsSchema):
    reliability = fields.ChoiceField(
        [
            (str(Reliability.CALIBRATED), "Classes and calibrated probabilities are stated."),
            (
                str(Reliability.NOT_JUDGED),
                "Refused, and analysed on a dermatologist's word: likewise.",
            ),
            (
                str(Reliability.SMARTPHONE),
                "Taken without a dermatoscope: nothing is ruled out. Classes and figures are null; see not_reliable.",
            ),
        ],
        help_text="Read this first: how far the answer can be relied on.",
    )
    predicted_class = fields.CharField(allow_null=True)
    predicted_code = fields.ChoiceField(
        [(code, BY_CODE[code].name) for code in CODES],
        allow_null=True,
        help_text="The most probable single class. What the tier is due to is in `explained`.",
    )
    confidence = fields.FloatField(allow_null=True, help_text="The calibrated probability of the predicted class.")
    probabilities = ProbabilitiesSchema(allow_null=True)
    equal_prior_scores = EqualPriorScoresSchema(allow_null=True)
    malignant_probability = fields.FloatField(allow_null=True, help_text="The calibrated mass on mel, bcc and akiec.")
    prediction_set = fields.ListField(
        child=fields.CharField(),
        help_text="Codes that together hold the truth 9 times in 10, whichever it is, most probable first.",
    )
    explained = inline_serializer(
        "ExplainedClass",
        {
            "code": fields.CharField(),
            "name": fields.CharField(),
            "probability": fields.FloatField(),
            "because": fields.ChoiceField(
                [
                    (
                        "leading_malignant",
                        "The tier is urgent or watch: the most probable malignant class explains it.",
                    ),
                    ("most_probable", "The tier is calm: the most probable class explains it."),
                ]
            ),
            "text": fields.CharField(help_text="Which class an urgent or watch tier is due to, in words."),
        },
        allow_null=True,
        help_text="The class that explains the tier: `explanation` is of it, and so is the heat map.",
    )
    candidates = fields.ListField(
        child=inline_serializer(
            "Candidate",
            {
                "codes": fields.ListField(child=fields.CharField(), help_text="One code."),
                "name": fields.CharField(),
                "probability": fields.FloatField(help_text="Calibrated."),
                "is_malignant": fields.BooleanField(),
            },
        ),
        help_text="What it could be: at most three, the explained class first, then the most probable others.",
    )
    candidates_text = fields.CharField(help_text="The same in words.")
    explanation = ExplanationSchema(allow_null=True)
    not_reliable = NotReliableSchema(allow_null=True, help_text="Null where the answer can be relied on.")
    model_version = fields.CharField()
    answer_settings = inline_serializer(
        "AnswerSettings",
        {
            "number": fields.IntegerField(help_text="Counted within the clinic, from 1; each choice is kept."),
            "watch": fields.ChoiceField(WATCH_LEVELS),
            "urgent": fields.ChoiceField(URGENT_LEVELS),
            "is_own_class_mix": fields.BooleanField(
                help_text="Whether the percentages are true to the clinic's own mix of diagnoses."
            ),
        },
        allow_null=True,
        help_text="How the clinic has chosen to have the network read; null where this is read as released.",
    )
    quality = QualitySchema()
    measurements = MeasurementsSchema(allow_null=True, help_text="Null where the kept original cannot be read.")
    image = ImageLinkSchema(allow_null=True, help_text="Null when nothing was kept.")
    disclaimer = fields.CharField()


class ItemSchema(fields.Serializer[Any]):
    index = fields.IntegerField()
    filename = fields.CharField()
    status = fields.IntegerField(help_text="What this file alone would have been answered with.")
    result = AnswerSchema(required=False)
    problem = ProblemSchema(required=False)


class BatchAnswerSchema(fields.Serializer[Any]):
    count = fields.IntegerField()
    failed = fields.IntegerField()
    results = ItemSchema(many=True)


_CHECKS: dict[str, dict[str, Any]] = {
    "database": {},
    "engine": {},
    "queue": {"waiting": fields.IntegerField(allow_null=True, help_text="Tasks not yet taken up.")},
    "workers": {
        "alive": fields.IntegerField(help_text="Processes that do work or hand it out, heard of lately."),
        "lost": fields.ListField(
            child=fields.CharField(),
            help_text="Queues whose worker is silent or missing; “schedule” hands out what is due.",
        ),
    },
    "files": {},
    "messages": {
        "waiting": fields.IntegerField(help_text="Mails and calls that have not gone out yet."),
        "late": fields.IntegerField(help_text="Of those, how many have failed before."),
        "undelivered": fields.IntegerField(help_text="Refused or given up, and still kept."),
        "oldest_seconds": fields.IntegerField(help_text="How long the oldest has waited."),
        "mail_server": fields.BooleanField(help_text="Whether one is set up: without, mails stay on the server."),
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


def problems(*codes: str) -> dict[Any, Any]:
    """Describe the problems with these codes, grouped by status, an example each."""
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
    of_their_own: dict[str, dict[str, Any]] = {
        "throttled": {"retry_after": 12},
        "invalid": {"errors": {"file": ["No file was submitted."]}},
        "cannot-be-judged": {
            "reason": "The fine structure of the spot cannot be seen.",
            "advice": ["Tap on the spot so that the camera focuses on it."],
            "quality": {"verdict": "blurred", "measures": {"sharpness": 3.1, "brightness": 148.2}},
            "image": None,
        },
    }
    base = {"type": TYPE_PREFIX + code, "title": str(title), "status": status, "detail": str(title)}
    return OpenApiExample(
        code, {**base, "instance": "/api/v1/predict/", "code": code, **of_their_own.get(code, {})}, response_only=True
    )


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

_EXPLANATION: dict[str, Any] = {
    "code": "mel",
    "source": "library",
    "model_name": None,
    "language": "en",
    "urgency": "See a dermatologist within two weeks.",
    "urgency_from": "condition",
    "sections": dict.fromkeys(SECTIONS, "…"),
    "sources": [{"title": "NHS: Melanoma skin cancer", "url": "https://www.nhs.uk/conditions/melanoma-skin-cancer/"}],
}
_ANSWER: dict[str, Any] = {
    "reliability": "calibrated",
    "predicted_class": "Melanoma",
    "predicted_code": "mel",
    "confidence": 0.6213,
    "probabilities": {
        "akiec": 0.0041, "bcc": 0.0102, "bkl": 0.1044, "df": 0.0021, "mel": 0.6213, "nv": 0.2561, "vasc": 0.0018,
    },
    "equal_prior_scores": {
        "akiec": 0.0113, "bcc": 0.018, "bkl": 0.0861, "df": 0.0165, "mel": 0.5059, "nv": 0.3507, "vasc": 0.0115,
    },
    "malignant_probability": 0.6356,
    "tier": {"code": "urgent", "text": str(Tier.URGENT.label)},
    "network_tier": {"code": "urgent", "text": str(Tier.URGENT.label)},
    "warnings": [],
    "next_steps": ["See a dermatologist within two weeks. …"],
    "prediction_set": ["mel", "nv"],
    "explained": {
        "code": "mel", "name": "Melanoma", "probability": 0.6213, "because": "leading_malignant",
        "text": "This answer is due to Melanoma, 62 %.",
    },
    "candidates": [
        {"codes": ["mel"], "name": "Melanoma", "probability": 0.6213, "is_malignant": True},
        {"codes": ["nv"], "name": "Melanocytic nevus (mole)", "probability": 0.2561, "is_malignant": False},
        {"codes": ["bkl"], "name": "Benign keratosis", "probability": 0.1044, "is_malignant": False},
    ],
    "candidates_text": "Melanoma, 62 %. It could also be: Melanocytic nevus (mole), 26 %; Benign keratosis, 10 %.",
    "not_reliable": None,
    "explanation": {
        **_EXPLANATION, "urgency": f"Your result says: {Tier.URGENT.label}.", "urgency_from": "result",
    },
    "model_version": "xception-7f3a12cd",
    "answer_settings": None,
    "quality": {"verdict": "accepted", "measures": {"sharpness": 41.7, "brightness": 151.0, "in_domain": 0.998}},
    "measurements": {
        "doubt": None, "is_cut": False, "outline": [[212.4, 101.8], [214.9, 100.2], [217.6, 99.1]],
        "asymmetry": {"shape": 0.112, "axes": [0.081, 0.143], "colour": 7.9},
        "border": {"compactness": 1.31, "solidity": 0.944},
        "colours": {
            "shares": {
                "white": 0.0, "red": 0.02, "light_brown": 0.43, "dark_brown": 0.31, "blue_grey": 0.07, "black": 0.0,
            },
            "present": ["light_brown", "dark_brown", "blue_grey"],
        },
        "diameter": {"share_of_width": 0.412, "mm": 6.0},
        "segmenter": "3f0c…", "note": "Measured on the photograph; the network does not read these numbers.",
    },
    "image": {"id": _IMAGE_ID, "url": f"https://clinic.example/images/{_IMAGE_ID}/", "lesion": "…", "visit": "…"},
    "disclaimer": "Decision support, not a diagnosis: a dermatologist decides.",
}  # fmt: skip

_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description=(
        "Where photographs are kept: any text of your own, new for each request. If the answer is lost, send the "
        "same request with the same key within a day: it is answered as before and keeps nothing twice."
    ),
)

predict = extend_schema(
    operation_id="predict",
    summary="Judge one photograph",
    description=(
        "Without `lesion`, `visit` or `patient` nothing is kept. To keep the photograph, name its `lesion`: it joins "
        "the `visit` you name, or else the patient's open visit of today, or else a new one. `patient` is only "
        "checked against the lesion. A photograph that cannot be judged is answered with 422, and kept all the same "
        "if a lesion was named. Of a photograph that was taken without a dermatoscope `reliability` says so, and "
        "classes and figures are null. Of a kept photograph `tier`, `warnings` and `next_steps` are those of its "
        "page: what else is known of the lesion counts. An empty id, an unknown field and anything in the query "
        "string are answered with 400, so that no photograph is lost to a slip."
    ),
    parameters=[_KEY],
    request={"multipart/form-data": PredictSerializer},
    responses={
        200: OpenApiResponse(AnswerSchema, examples=[OpenApiExample("kept", _ANSWER, response_only=True)]),
        **problems(*_EVERYWHERE, *_BODIES, *_KEEPING, *_PICTURES, "engine-unavailable"),
    },
)
predict_batch = extend_schema(
    operation_id="predict_batch",
    summary=f"Judge up to {settings.UPLOAD_MAX_FILES} photographs",
    description="One result or problem for each file, in order. Counts as that many predictions.",
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
                            {"index": 0, "filename": "mole.jpg", "status": 200, "result": _ANSWER},
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
        200: OpenApiResponse(ExplanationSchema, examples=[OpenApiExample("mel", _EXPLANATION, response_only=True)]),
        **problems(*_EVERYWHERE, *_BODIES),
    },
)
_STATUS_EXAMPLE = {
    "status": "ok",
    "model_version": "xception-7f3a12cd",
    "checks": {
        "database": {"status": "ok"},
        "engine": {"status": "ok"},
        "queue": {"status": "ok", "waiting": 0},
        "files": {"status": "ok"},
        "messages": {
            "status": "ok",
            "waiting": 0,
            "late": 0,
            "undelivered": 0,
            "oldest_seconds": 0,
            "mail_server": True,
        },
    },
}
status = extend_schema(
    operation_id="status",
    summary="Is everything up?",
    description="Open to all. 200 if everything answers, 503 if a part does not.",
    auth=[],
    responses={
        200: OpenApiResponse(StatusSchema, examples=[OpenApiExample("up", _STATUS_EXAMPLE, response_only=True)]),
        503: OpenApiResponse(StatusSchema, description="A part does not answer."),
    },
)
