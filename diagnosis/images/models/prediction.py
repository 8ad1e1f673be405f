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
    """The tier that the malignant probability falls into; the thresholds belong to the model version."""

    URGENT = "urgent", _("See a dermatologist within two weeks")
    WATCH = "watch", _("Have a dermatologist look at it")
    CALM = "calm", _("Nothing alarming was found")


def heat_map_path(heat_map: "HeatMap", filename: str) -> str:
    """Return where a heat map is stored. Its key is in the name, so that two drawn at once do not share a file."""
    image = heat_map.prediction.image_id.hex
    return f"images/{image[:2]}/{image}-heat-{heat_map.pk.hex[:12]}.png"


def _sum(codes: Sequence[str]) -> Combinable:
    """The sum of the columns named by ``codes``."""
    return reduce(add, (F(code) for code in codes))


def _remainder(codes: Sequence[str], total: float) -> Combinable:
    """``total`` minus the sum of the columns named by ``codes``."""
    return Value(total) - _sum(codes)


class PredictionQuerySet(CountsSteps, models.QuerySet["Prediction"]):
    def shown(self) -> "PredictionQuerySet":
        """The one prediction per image that is shown: the active version's, or else the newest.

        This rule exists only here; after a roll-back the two differ. ``Image.shown_prediction`` and
        ``ImageQuerySet.with_shown_prediction`` apply it to one image and to many.
        """
        active = Subquery(ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).values("pk")[:1])
        of_the_image = Prediction.objects.filter(image=OuterRef("image")).order_by()
        newer = of_the_image.filter(Q(step__gt=OuterRef("step")) | Q(step=OuterRef("step"), pk__gt=OuterRef("pk")))
        is_newest = ~Exists(of_the_image.filter(model_version=active)) & ~Exists(newer)
        return self.filter(Q(model_version=active) | is_newest)

    def newest_first(self) -> "PredictionQuerySet":
        """The newest first, by ``step`` and not by the clock."""
        return self.order_by("-step", "-pk")

    def of_shown_tier(self, tier: str) -> "PredictionQuerySet":
        """Predictions whose ``shown_tier`` is ``tier``."""
        raised = Exists(Image.objects.not_reliable().filter(pk=OuterRef("image")))
        if tier == Tier.WATCH:
            return self.filter(Q(tier=Tier.WATCH) | Q(raised, tier=Tier.CALM))
        return self.filter(~raised, tier=tier) if tier == Tier.CALM else self.filter(tier=tier)

    def explained_by(self, code: str) -> "PredictionQuerySet":
        """Predictions whose ``explained_code`` is ``code``, of photographs whose answer can be relied on."""
        reliable = self.filter(~Exists(Image.objects.not_reliable().filter(pk=OuterRef("image"))))
        is_calm = Q(tier=Tier.CALM, code=code)
        if code not in MALIGNANT_CODES:
            return reliable.filter(is_calm)
        index = MALIGNANT_CODES.index(code)
        leads = Q(~Q(tier=Tier.CALM), *(Q(**{f"{code}__gt": F(each)}) for each in MALIGNANT_CODES[:index]))
        leads &= Q(*(Q(**{f"{code}__gte": F(each)}) for each in MALIGNANT_CODES[index + 1 :]))
        return reliable.filter(is_calm | leads)

    def with_shown_tier(self) -> "PredictionQuerySet":
        """Annotate ``tier_shown``: ``shown_tier`` as a column."""
        raised = Q(tier=Tier.CALM) & Exists(Image.objects.not_reliable().filter(pk=OuterRef("image")))
        shown = Case(When(raised, then=Value(Tier.WATCH)), default=F("tier"), output_field=models.CharField())
        return self.annotate(tier_shown=shown)

    def that_could_be_judged(self) -> "PredictionQuerySet":
        """Predictions of photographs that passed the quality check, without those that were analysed anyway."""
        return self.filter(Exists(Image.objects.filter(pk=OuterRef("image"), verdict=QualityVerdict.ACCEPTED)))

    def of_new_photographs(self) -> "PredictionQuerySet":
        """Predictions made when a photograph was uploaded or analysed again, without re-scores of the archive."""
        return self.filter(was_rescored=False)


class Prediction(models.Model):
    """One model version's prediction for one image. Never edited, never deleted while the image exists."""

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
        help_text=_("The clinic's settings, if they changed anything."),
    )
    duration = models.DurationField(default=timedelta(0))
    was_rescored = models.BooleanField(
        default=False, help_text=_("Re-scored from stored features after a switch of versions.")
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
                    malignant_probability__gte=_sum(MALIGNANT_CODES) - 0.001,
                    malignant_probability__lte=_sum(MALIGNANT_CODES) + 0.001,
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
        """Why the quality check refused the photograph, in a word or two; empty if it passed."""
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
