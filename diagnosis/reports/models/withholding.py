import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from diagnosis.reports.models.report import Report
from patients.models import Member


class WithholdingReason(models.TextChoices):
    """The reason for withholding a released report, as the patient reads it."""

    DIAGNOSIS = "diagnosis", _("A diagnosis in it is being checked")
    PLAN = "plan", _("The plan in it is being checked")
    DETAILS = "details", _("Details in it are being checked")


class WithholdingQuerySet(models.QuerySet["Withholding"]):
    def standing(self) -> "WithholdingQuerySet":
        """Withholdings whose report was not released again."""
        return self.filter(ended_at__isnull=True)


class Withholding(models.Model):
    """The withholding of a released report from its patient. Append-only; only its end is written, once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="withholdings")
    reason = models.CharField(max_length=10, choices=WithholdingReason)
    note = models.CharField(max_length=300, help_text=_("For the clinic: what is wrong."))
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text=_("When the report was released again."))

    objects = WithholdingQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["report"], condition=Q(ended_at__isnull=True), name="report_is_withheld_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(reason__in=WithholdingReason.values), name="withholding_has_a_reason"),
            models.CheckConstraint(condition=~Q(note=""), name="withholding_says_what_is_wrong"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_by__isnull=False, ended_at__isnull=False, ended_at__gte=F("created_at")),
                name="withholding_ends_after_it_began_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_reason_display())
