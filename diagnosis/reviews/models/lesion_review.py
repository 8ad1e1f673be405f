from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from diagnosis.reviews.models.review import Review, ReviewGroup
from patients.models import Lesion, Member
from patients.models.clinic_rows import ClinicRows

SOONEST_MONTHS, LATEST_MONTHS = 1, 60


class Management(models.TextChoices):
    """What is to be done with a lesion."""

    EXCISE = "excise", gettext_lazy("Excise")
    BIOPSY = "biopsy", gettext_lazy("Biopsy")
    FOLLOW = "follow", gettext_lazy("Follow up")
    REFER = "refer", gettext_lazy("Refer")
    DISCHARGE = "discharge", gettext_lazy("Discharge")


class ManagementDecisionQuerySet(ClinicRows["ManagementDecision"]):
    path_to_clinic = "lesion__patient__clinic"

    def standing(self) -> "ManagementDecisionQuerySet":
        """Decisions that count: a decision is withdrawn with the reviews that it was made with."""
        reviews = Review.objects.standing().filter(group=OuterRef("group"))
        return self.filter(Q(group=None) | Exists(reviews.order_by()))


class ManagementDecision(models.Model):
    """What a dermatologist decided to do with a lesion. Append-only: the newest that stands counts."""

    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="management_decisions")
    group = models.OneToOneField(
        ReviewGroup,
        on_delete=models.PROTECT,
        null=True,
        related_name="decision",
        help_text=gettext_lazy("The review of the lesion that it was made with; empty if it was made by itself."),
    )
    decision = models.CharField(gettext_lazy("what is to be done"), max_length=10, choices=Management)
    months = models.PositiveSmallIntegerField(
        gettext_lazy("in how many months"),
        null=True,
        validators=[MinValueValidator(SOONEST_MONTHS), MaxValueValidator(LATEST_MONTHS)],
    )
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ManagementDecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=Management.values), name="management_decision_is_known"),
            models.CheckConstraint(
                condition=Q(decision=Management.FOLLOW, months__isnull=False)
                | (~Q(decision=Management.FOLLOW) & Q(months=None)),
                name="months_are_stated_for_a_follow_up_alone",
            ),
            models.CheckConstraint(
                condition=Q(months=None) | Q(months__gte=SOONEST_MONTHS, months__lte=LATEST_MONTHS),
                name="follow_up_is_within_five_years",
            ),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        if self.months is None:
            return str(self.get_decision_display())
        months = ngettext("%(count)d month", "%(count)d months", self.months) % {"count": self.months}
        return _("Follow up in %(months)s") % {"months": months}
