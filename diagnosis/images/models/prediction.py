import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models.answer_settings import AnswerSettings
from diagnosis.images.models.image import Image, QualityVerdict
from diagnosis.images.models.step import CountsSteps, StepField
from diagnosis.images.reliability import tier_to_show
from mlmodel.network.tiers import explained_code
from mlmodel.taxonomy import BY_CODE, CODES, CONDITIONS, MALIGNANT_CODES, Condition
from mlmodel.versions.models import ModelVersion, ModelVersionStatus

if TYPE_CHECKING:
    from diagnosis.images.models.heat_map import HeatMap


class Tier(models.TextChoices):
    """What the malignant probability mass asks for; the thresholds travel with the model version."""

    URGENT = "urgent", _("See a dermatologist within two weeks")
    WATCH = "watch", _("Have a dermatologist look at it")
    CALM = "calm", _("Nothing alarming was found")


def heat_map_path(heat_map: "HeatMap", filename: str) -> str:
    """Where a heat map is stored. Its own key is in the name: two that are drawn at once do not share a file."""
    image = heat_map.prediction.image_id.hex
    return f"images/{image[:2]}/{image}-heat-{heat_map.pk.hex[:12]}.png"


def _mass(codes: Sequence[str]) -> Combinable:
    """The sum of the columns named by ``codes``."""
    return reduce(add, (F(code) for code in codes))


def _remainder(codes: Sequence[str], total: float) -> Combinable:
    """What the columns named by ``codes`` leave of ``total``."""
    return Value(total) - _mass(codes)


class PredictionQuerySet(CountsSteps, models.QuerySet["Prediction"]):
    def shown(self) -> "PredictionQuerySet":
        """Of each image the one prediction that is shown: the active version's, or else the newest.

        The only place that knows this rule; after a roll-back the two differ. ``Image.shown_prediction`` and
        ``ImageQuerySet.with_shown_prediction`` read it for one image and for many.
        """
        active = Subquery(ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).values("pk")[:1])
        of_the_image = Prediction.objects.filter(image=OuterRef("image")).order_by()
        newer = of_the_image.filter(Q(step__gt=OuterRef("step")) | Q(step=OuterRef("step"), pk__gt=OuterRef("pk")))
        is_newest = ~Exists(of_the_image.filter(model_version=active)) & ~Exists(newer)
        return self.filter(Q(model_version=active) | is_newest)

    def newest_first(self) -> "PredictionQuerySet":
        """By the order in which they were made, whatever clocks said."""
        return self.order_by("-step", "-pk")

    def of_shown_tier(self, tier: str) -> "PredictionQuerySet":
        """Those whose ``shown_tier`` is ``tier``."""
        raised = Exists(Image.objects.not_reliable().filter(pk=OuterRef("image")))
        if tier == Tier.WATCH:
            return self.filter(Q(tier=Tier.WATCH) | Q(raised, tier=Tier.CALM))
        return self.filter(~raised, tier=tier) if tier == Tier.CALM else self.filter(tier=tier)

    def explained_by(self, code: str) -> "PredictionQuerySet":
        """Those whose ``explained_code`` is ``code``, of photographs on whose answer one can rely."""
        reliable = self.filter(~Exists(Image.objects.not_reliable().filter(pk=OuterRef("image"))))
        of_calm = Q(tier=Tier.CALM, code=code)
        if code not in MALIGNANT_CODES:
            return reliable.filter(of_calm)
        place = MALIGNANT_CODES.index(code)
        of_others = Q(~Q(tier=Tier.CALM), *(Q(**{f"{code}__gt": F(each)}) for each in MALIGNANT_CODES[:place]))
        of_others &= Q(*(Q(**{f"{code}__gte": F(each)}) for each in MALIGNANT_CODES[place + 1 :]))
        return reliable.filter(of_calm | of_others)

    def with_shown_tier(self) -> "PredictionQuerySet":
        """Annotate ``tier_shown``, which is ``shown_tier``."""
        raised = Q(tier=Tier.CALM) & Exists(Image.objects.not_reliable().filter(pk=OuterRef("image")))
        shown = Case(When(raised, then=Value(Tier.WATCH)), default=F("tier"), output_field=models.CharField())
        return self.annotate(tier_shown=shown)

    def that_could_be_judged(self) -> "PredictionQuerySet":
        """Without those of refused photographs, which a dermatologist had analysed anyway."""
        return self.filter(Exists(Image.objects.filter(pk=OuterRef("image"), verdict=QualityVerdict.ACCEPTED)))

    def of_new_photographs(self) -> "PredictionQuerySet":
        """Those made when a photograph came, or was looked at again: what a day's figures are about."""
        return self.filter(was_rescored=False)


class Prediction(models.Model):
    """What one model version said of one image. Never edited, never deleted while the image lives."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="predictions")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="predictions")
    code = models.CharField(max_length=8, choices=[(c.code, c.name) for c in CONDITIONS])
    akiec = models.FloatField()
    bcc = models.FloatField()
    bkl = models.FloatField()
    df = models.FloatField()
    mel = models.FloatField()
    nv = models.FloatField()
    vasc = models.FloatField()
    malignant_probability = models.FloatField(help_text=_("Sum over melanoma, basal cell carcinoma, akiec."))
    tier = models.CharField(max_length=10, choices=Tier)
    answer_settings = models.ForeignKey(
        AnswerSettings,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text=_("What the clinic had chosen, where it was not read as released."),
    )
    duration = models.DurationField(default=timedelta(0))
    was_rescored = models.BooleanField(
        default=False, help_text=_("Read from stored features after a switch of versions: no new work of the clinic.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    step = StepField()

    objects = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ["-step"]
        constraints = [
            models.UniqueConstraint(fields=["image", "model_version"], name="one_prediction_per_image_and_version"),
            models.CheckConstraint(condition=Q(code__in=CODES), name="prediction_code_is_known"),
            models.CheckConstraint(condition=Q(tier__in=Tier.values), name="prediction_tier_is_known"),
            models.CheckConstraint(
                condition=Q(**{f"{code}__gte": 0 for code in CODES}, **{f"{code}__lte": 1 for code in CODES}),
                name="probabilities_lie_between_0_and_1",
            ),
            models.CheckConstraint(
                condition=Q(akiec__gte=_remainder(CODES[1:], 0.999), akiec__lte=_remainder(CODES[1:], 1.001)),
                name="probabilities_sum_to_1",
            ),
            models.CheckConstraint(
                condition=Q(
                    malignant_probability__gte=_mass(MALIGNANT_CODES) - 0.001,
                    malignant_probability__lte=_mass(MALIGNANT_CODES) + 0.001,
                ),
                name="malignant_probability_is_the_malignant_mass",
            ),
        ]
        indexes = [
            models.Index(fields=["image", "-step"], name="predictions_of_an_image"),
            models.Index(fields=["-step"], name="predictions_in_order"),
            models.Index(fields=["-malignant_probability", "-created_at"], name="predictions_by_suspicion"),
            models.Index(fields=["tier", "-created_at"], name="predictions_by_tier"),
            models.Index(fields=["-created_at"], name="predictions_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.explained.name} {self.probabilities[self.explained_code]:.0%}"

    @property
    def refused_as(self) -> str:
        """Why the photograph could not be judged, in a word or two; empty where it could."""
        return "" if self.image.is_accepted else str(self.image.get_verdict_display()).lower()

    @property
    def condition(self) -> Condition:
        return BY_CODE[self.code]

    @property
    def shown_tier(self) -> str:
        """The tier that is shown: the network's own, or a more cautious one; see ``diagnosis.images.reliability``."""
        return tier_to_show(self.tier, self.image.reliability)

    @property
    def explained_code(self) -> str:
        """The class that explains the tier; see ``mlmodel.network.tiers.explained_code``."""
        return explained_code(self.probabilities, tier=self.tier)

    @property
    def explained(self) -> Condition:
        return BY_CODE[self.explained_code]

    @property
    def probabilities(self) -> dict[str, float]:
        """Calibrated probabilities by code."""
        return {code: getattr(self, code) for code in CODES}

    @property
    def confidence(self) -> float:
        """The calibrated probability of the most probable class."""
        return float(getattr(self, self.code))
