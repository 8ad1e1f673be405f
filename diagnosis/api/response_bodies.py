"""The bodies of responses, as the OpenAPI description states them."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as fields

from dermascan.core.problems import KINDS, TYPE_PREFIX
from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models import QualityVerdict, Tier
from diagnosis.images.models.answer_settings import URGENT_LEVELS, WATCH_LEVELS
from mlmodel.explanations.explained import SECTIONS
from mlmodel.network.quality import Reliability
from mlmodel.segmentation.dermoscopic_colours import COLOURS
from mlmodel.segmentation.segmenter import OutlineProblem
from mlmodel.taxonomy import BY_CODE, CODES


class QualitySchema(fields.Serializer[Any]):
    verdict = fields.ChoiceField(QualityVerdict.choices)
    measures = fields.DictField(child=fields.FloatField())


class ImageLinkSchema(fields.Serializer[Any]):
    id = fields.UUIDField()
    url = fields.CharField(help_text="The page of the photograph.")
    lesion = fields.UUIDField()
    visit = fields.UUIDField()
    kind = fields.ChoiceField(PhotographKind.choices, allow_null=True, help_text="As stated; null if it was not.")
    taken_at = fields.DateTimeField(
        allow_null=True, help_text="When it was taken, as stated or as the file says; null if that is not known."
    )


class TierSchema(fields.Serializer[Any]):
    code = fields.ChoiceField(Tier.choices)
    text = fields.CharField()


class WarningSchema(fields.Serializer[Any]):
    code = fields.CharField(help_text="The reason, for programs. Treat one that you do not know as a warning too.")
    text = fields.CharField(help_text="Show this text to the reader together with the answer.")
    url = fields.CharField(allow_null=True, help_text="The page that the warning is about.")


class ShownAnswerSchema(fields.Serializer[Any]):
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


class AnswerSchema(ShownAnswerSchema):
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
