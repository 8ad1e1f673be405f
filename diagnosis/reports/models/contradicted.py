import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diagnosis.outcomes.models import PathologyResult
from diagnosis.reports.models.report import Report
from patients.models.clinic_rows import ClinicRows


class ContradictedReportQuerySet(ClinicRows["ContradictedReport"]):
    path_to_clinic = "report__visit__patient__clinic"

    def counting(self) -> "ContradictedReportQuerySet":
        """Those whose result still counts: it was neither amended nor withdrawn."""
        return self.filter(result__in=PathologyResult.objects.counting().order_by().values("pk"))

    def misses(self) -> "ContradictedReportQuerySet":
        """Reports that did not warn of what turned out to be malignant."""
        return self.filter(is_miss=True)


class ContradictedReport(models.Model):
    """A signed report that said otherwise of a lesion than the laboratory. Append-only.

    An addendum corrects what readers of the report know; this row stays, since it was said.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    result = models.ForeignKey(PathologyResult, on_delete=models.PROTECT, related_name="contradicted_reports")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="contradicted_by")
    said = models.CharField(max_length=300, help_text=_("What the report and its addenda said of the lesion."))
    is_miss = models.BooleanField(help_text=_("The result is malignant, and the report did not warn of it."))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ContradictedReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["result", "report"], name="report_is_contradicted_once_by_a_result"),
            models.CheckConstraint(condition=~Q(said=""), name="contradicted_report_said_something"),
        ]

    def __str__(self) -> str:
        return self.said
