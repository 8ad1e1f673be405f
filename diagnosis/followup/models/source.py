from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnosis.followup.models.plan import LesionPlan
from diagnosis.outcomes.models import Specimen
from diagnosis.reviews.models import ManagementDecision


class PlanSource(models.Model):
    """Why a plan was stated by itself, and what it replaced. A plan without a row was stated by hand. Append-only."""

    plan = models.OneToOneField(LesionPlan, on_delete=models.PROTECT, related_name="source")
    specimen = models.ForeignKey(
        Specimen, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("Its result is awaited.")
    )
    decision = models.ForeignKey(
        ManagementDecision, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("It decided the step.")
    )
    replaced = models.ForeignKey(
        LesionPlan,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("The plan that stood before, which stands again if this one is taken back."),
    )
    restores = models.ForeignKey(
        LesionPlan, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("The earlier plan it repeats.")
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(specimen__isnull=False) | Q(decision__isnull=False) | Q(restores__isnull=False),
                name="plan_source_is_named",
            ),
            models.CheckConstraint(
                condition=Q(specimen__isnull=True) | Q(decision__isnull=True), name="plan_has_one_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}"
