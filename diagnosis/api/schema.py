"""The OpenAPI description of each operation: responses, problems, examples."""

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
    url = fields.CharField(help_text="The page of the photograph.")
    lesion = fields.UUIDField()
    visit = fields.UUIDField()


class TierSchema(fields.Serializer[Any]):
    code = fields.ChoiceField(Tier.choices)
    text = fields.CharField()


class WarningSchema(fields.Serializer[Any]):
    text = fields.CharField(help_text="Show this text to the reader together with the answer.")
    url = fields.CharField(allow_null=True, help_text="The page that the warning is about.")


class SignsSchema(fields.Serializer[Any]):
    """Tier, warnings and next steps of a photograph, as its page shows them."""

    tier = TierSchema(
        allow_null=True,
        help_text=(
            "The urgency, given everything in the record. For a stored photograph, it is the tier that its page "
            "shows: "
            "another photograph of the lesion, the symptoms or a dermatologist's label can make it more urgent than "
            "the network's own answer. With a benign label an urgent answer becomes “watch”. At least “watch” where "
            "the answer is not reliable. Null for an excluded photograph: it does not count."
        ),
    )
    network_tier = TierSchema(help_text="The network's own answer. Never show it without `tier` and `warnings`.")
    warnings = WarningSchema(many=True, help_text="What else is known, most urgent first. Show all of them.")
    next_steps = fields.ListField(
        child=fields.CharField(), help_text="What to do next, in order; open questions come first."
    )


class ProblemSchema(fields.Serializer[Any]):
    """RFC 9457."""

    type = fields.CharField(help_text=f"“{TYPE_PREFIX}” followed by the code.")
    title = fields.CharField()
    status = fields.IntegerField()
    detail = fields.CharField(help_text="What to do about it.")
    instance = fields.CharField()
    code = fields.ChoiceField([(code, code) for code in KINDS])
    errors = fields.DictField(  # type: ignore[assignment]  # a field here, not the serializer's own errors
        child=fields.ListField(child=fields.CharField()), required=False, help_text="Messages by field."
    )
    retry_after = fields.IntegerField(required=False, help_text="Seconds; also in the header Retry-After.")
    quality = QualitySchema(required=False)
    reason = fields.CharField(required=False, help_text="Why the photograph was refused.")
    advice = fields.ListField(child=fields.CharField(), required=False, help_text="How to take a better one.")
    image = ImageLinkSchema(required=False, allow_null=True, help_text="The photograph, if it is stored.")
    warnings = WarningSchema(
        many=True, required=False, help_text="What else is known about a stored photograph that was refused."
    )
    disclaimer = fields.CharField(required=False)


class ExplanationSchema(fields.Serializer[Any]):
    # A serializer field cannot be declared as “source”, which REST framework uses itself; see get_fields.
    sections = inline_serializer("Sections", {name: fields.CharField() for name in SECTIONS})
    code = fields.CharField(help_text="The condition explained: " + ", ".join(CODES))
    urgency = fields.CharField(
        help_text="How soon to seek care. Where the tier is more urgent than the condition, it is the tier's."
    )
    urgency_from = fields.ChoiceField(
        [("result", "The tier of this result"), ("condition", "The condition in general")],
        help_text="Where `urgency` comes from.",
    )
    sources = fields.ListField(
        child=inline_serializer("Source", {"title": fields.CharField(), "url": fields.CharField()})
    )
    model_name = fields.CharField(allow_null=True, help_text="The language model that wrote the text, if any.")
    language = fields.CharField()

    def get_fields(self) -> dict[str, Any]:
        writers = [("library", "DermaScan's own library"), ("gemini", "A language model")]
        return {"source": fields.ChoiceField(writers, help_text="Where the text comes from."), **super().get_fields()}


class _ByCode(fields.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {code: fields.FloatField(min_value=0, max_value=1) for code in CODES}


class ProbabilitiesSchema(_ByCode):
    """Calibrated probabilities by code; they sum to 1."""


class EqualPriorScoresSchema(_ByCode):
    """The same logits with the training class mix divided out; they sum to 1."""


class MeasurementsSchema(fields.Serializer[Any]):
    """Asymmetry, border, colours and diameter, measured on the photograph. The probabilities do not use them."""

    doubt = inline_serializer(
        "MeasurementDoubt",
        {
            "code": fields.ChoiceField([(str(doubt), str(doubt)) for doubt in OutlineProblem]),
            "text": fields.CharField(),
        },
        allow_null=True,
        help_text="Why nothing was measured; null if measures exist.",
    )
    is_cut = fields.BooleanField(
        help_text="The lesion extends beyond the centre square: asymmetry and border are not measured."
    )
    outline = fields.ListField(
        child=fields.ListField(child=fields.FloatField(), min_length=2, max_length=2),
        allow_null=True,
        help_text="A closed polygon: x and y in pixels of the photograph.",
    )
    asymmetry = inline_serializer(
        "Asymmetry",
        {
            "shape": fields.FloatField(help_text="Share of the area outside the mirror image, mean of two axes."),
            "axes": fields.ListField(child=fields.FloatField(), min_length=2, max_length=2),
            "colour": fields.FloatField(help_text="Mean colour difference between mirrored points, CIE 1976 ΔE."),
        },
        allow_null=True,
    )
    border = inline_serializer(
        "Border",
        {
            "compactness": fields.FloatField(help_text="Perimeter² / (4 π area): 1 for a circle."),
            "solidity": fields.FloatField(help_text="Area divided by the area of the convex hull."),
        },
        allow_null=True,
    )
    colours = inline_serializer(
        "Colours",
        {
            "shares": inline_serializer("ColourShares", {str(each): fields.FloatField() for each in COLOURS}),
            "present": fields.ListField(
                child=fields.CharField(), help_text="Colours with a share of 5 % or more, largest first."
            ),
        },
        allow_null=True,
    )
    diameter = inline_serializer(
        "Diameter",
        {
            "share_of_width": fields.FloatField(help_text="The longest diameter divided by the photograph's width."),
            "mm": fields.FloatField(
                allow_null=True, help_text="Null unless the width of the photograph in millimetres was entered."
            ),
        },
        allow_null=True,
    )
    segmenter = fields.CharField(help_text="SHA-256 of the segmentation network.")
    note = fields.CharField()


class NotReliableSchema(fields.Serializer[Any]):
    """What the API returns for an answer that is not reliable. Never show it as the answer."""

    warning = fields.CharField()
    advice = fields.ListField(child=fields.CharField(), help_text="How to take a dermatoscopic photograph.")
    class_order = fields.ListField(child=fields.CharField(), help_text="Codes, most probable first; mostly wrong.")


class AnswerSchema(SignsSchema):
    reliability = fields.ChoiceField(
        [
            (str(Reliability.CALIBRATED), "Classes and calibrated probabilities are stated."),
            (
                str(Reliability.NOT_JUDGED),
                "Refused, but analysed anyway by a dermatologist's decision. Classes and figures are null; "
                "see not_reliable.",
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
        help_text="The most probable single class. The class that determines the tier is in `explained`.",
    )
    confidence = fields.FloatField(allow_null=True, help_text="The calibrated probability of the predicted class.")
    probabilities = ProbabilitiesSchema(allow_null=True)
    equal_prior_scores = EqualPriorScoresSchema(allow_null=True)
    malignant_probability = fields.FloatField(
        allow_null=True, help_text="The calibrated probability of mel, bcc and akiec together."
    )
    prediction_set = fields.ListField(
        child=fields.CharField(),
        help_text="Codes that together include the true class 9 times in 10, for every class, most probable first.",
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
            "text": fields.CharField(help_text="The class that an urgent or watch tier is due to, in words."),
        },
        allow_null=True,
        help_text="The class that explains the tier. `explanation` and the heat map are about it.",
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
        help_text="Differential diagnosis: at most three, the explained class first, then the most probable others.",
    )
    candidates_text = fields.CharField(help_text="The same in words.")
    explanation = ExplanationSchema(allow_null=True)
    not_reliable = NotReliableSchema(allow_null=True, help_text="Null if the answer is reliable.")
    model_version = fields.CharField()
    answer_settings = inline_serializer(
        "AnswerSettings",
        {
            "number": fields.IntegerField(help_text="Counted within the clinic, from 1; every change is stored."),
            "watch": fields.ChoiceField(WATCH_LEVELS),
            "urgent": fields.ChoiceField(URGENT_LEVELS),
            "is_own_class_mix": fields.BooleanField(
                help_text="Whether the percentages are adjusted to the clinic's own mix of diagnoses."
            ),
        },
        allow_null=True,
        help_text="The clinic's settings for this answer; null if those of the release apply.",
    )
    quality = QualitySchema()
    measurements = MeasurementsSchema(allow_null=True, help_text="Null if the stored original cannot be read.")
    image = ImageLinkSchema(allow_null=True, help_text="Null if nothing was stored.")
    disclaimer = fields.CharField()


class ItemSchema(fields.Serializer[Any]):
    index = fields.IntegerField()
    filename = fields.CharField()
    status = fields.IntegerField(help_text="The status that this file would have had in a request of its own.")
    result = AnswerSchema(required=False)
    problem = ProblemSchema(required=False)


class BatchAnswerSchema(fields.Serializer[Any]):
    count = fields.IntegerField()
    failed = fields.IntegerField()
    results = ItemSchema(many=True)


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
    extra_members: dict[str, dict[str, Any]] = {
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
        code, {**base, "instance": "/api/v1/predict/", "code": code, **extra_members.get(code, {})}, response_only=True
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
        "status 400, so that no photograph is lost through a typing error."
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
    summary="Service status",
    description="Needs no authentication. 200 if every part of the service works, 503 if one does not.",
    auth=[],
    responses={
        200: OpenApiResponse(StatusSchema, examples=[OpenApiExample("up", _STATUS_EXAMPLE, response_only=True)]),
        503: OpenApiResponse(StatusSchema, description="A part of the service does not work."),
    },
)
