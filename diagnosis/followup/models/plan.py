import datetime
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Lesion, Member, Visit
from patients.models.clinic_rows import ClinicRows

EARLIEST_DUE = datetime.date(2000, 1, 1)
LONGEST_REASON = 300


class NextStep(models.TextChoices):
    """What happens next with a lesion."""

    SEE_AGAIN = "see_again", _("See again")
    BIOPSY = "biopsy", _("Biopsy or excision")
    RESULT_AWAITED = "result_awaited", _("Result awaited")
    REFER = "refer", _("Refer")
    DISCHARGE = "discharge", _("Discharge")


# The only step that members who are not dermatologists may state: it brings the patient back sooner or later, and
# decides nothing about the lesion.
STAFF_STEPS = (NextStep.SEE_AGAIN,)


class Ending(models.TextChoices):
    """How a plan ended. Nothing else ends one: an overdue plan stays."""

    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    REPLACED = "replaced", _("Replaced by a newer plan")


class LesionPlanQuerySet(ClinicRows["LesionPlan"]):
    path_to_clinic = "clinic"

    def standing(self) -> "LesionPlanQuerySet":
        """Return the plans that have not ended: at most one a lesion."""
        return self.filter(ended_at__isnull=True)

    def overdue(self, today: datetime.date | None = None) -> "LesionPlanQuerySet":
        return self.standing().filter(due_on__lt=today or timezone.localdate())


class LesionPlan(models.Model):
    """The next step for one lesion, and by when. What was stated never changes; only its end is written, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The clinic of the lesion's patient, repeated here so that lists of what is due come from one index.
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    lesion = models.ForeignKey(Lesion, on_delete=models.PROTECT, related_name="plans")
    visit = models.ForeignKey(
        Visit,
        on_delete=models.PROTECT,
        null=True,
        related_name="plans",
        help_text=_("The visit at which it was stated; none if it was stated between visits."),
    )
    step = models.CharField(_("next step"), max_length=15, choices=NextStep)
    due_on = models.DateField(_("due on"), null=True)
    note = models.CharField(max_length=300, blank=True, help_text=_("For the clinic; not in the patient's report."))
    stated_by = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField(default=timezone.now)
    ending = models.CharField(max_length=10, choices=Ending, null=True)
    ending_reason = models.CharField(max_length=LONGEST_REASON, null=True)
    ended_at_visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="+")
    ended_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = LesionPlanQuerySet.as_manager()

    class Meta:
        ordering = ["-stated_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lesion"], condition=Q(ended_at__isnull=True), name="one_standing_plan_a_lesion"
            ),
            models.CheckConstraint(condition=Q(step__in=NextStep.values), name="plan_step_is_known"),
            models.CheckConstraint(
                condition=Q(step=NextStep.DISCHARGE, due_on__isnull=True)
                | (~Q(step=NextStep.DISCHARGE) & Q(due_on__isnull=False, due_on__gte=EARLIEST_DUE)),
                name="plan_has_a_date_unless_it_is_a_discharge",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ending__isnull=True)
                | Q(ended_by__isnull=False, ended_at__gte=F("stated_at"), ending__in=Ending.values),
                name="plan_is_ended_by_someone_in_a_known_way",
            ),
            models.CheckConstraint(
                condition=Q(ending__isnull=True)
                | ~Q(ending=Ending.CANCELLED)
                | (Q(ending_reason__isnull=False) & ~Q(ending_reason="")),
                name="plan_is_cancelled_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(ended_at_visit__isnull=True)
                | Q(ending__isnull=False, ending__in=(Ending.DONE, Ending.REPLACED)),
                name="plan_that_ends_at_a_visit_is_done_or_replaced",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "step", "due_on", "id"],
                condition=Q(ended_at__isnull=True),
                name="standing_plans_by_due_date",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}, {self.due_on.isoformat()}" if self.due_on else str(self.get_step_display())

    @property
    def is_standing(self) -> bool:
        return self.ended_at is None

    @property
    def is_overdue(self) -> bool:
        return self.is_standing and self.due_on is not None and self.due_on < timezone.localdate()

    @property
    def days_overdue(self) -> int:
        return (timezone.localdate() - self.due_on).days if self.due_on else 0

    @property
    def is_recall(self) -> bool:
        return self.step == NextStep.SEE_AGAIN
