import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import TruncSecond
from django.utils.translation import gettext_lazy as _

from diagnosis.outcomes.models import PathologyResult
from diagnosis.reports.models.report import Addendum, Report
from patients.models import Member, VisitStatus
from patients.models.clinic_rows import ClinicRows

LONGEST_REASON = 500


class ContradictedReportQuerySet(ClinicRows["ContradictedReport"]):
    path_to_clinic = "report__visit__patient__clinic"

    def standing(self) -> "ContradictedReportQuerySet":
        """Those that no correction of the record has closed."""
        return self.filter(closed_at__isnull=True)

    def counting(self) -> "ContradictedReportQuerySet":
        """The standing ones whose result still counts: it was neither amended nor withdrawn."""
        return self.standing().filter(result__in=PathologyResult.objects.counting().order_by().values("pk"))

    def unanswered(self) -> "ContradictedReportQuerySet":
        """Those that count and that no addendum has answered since: the report’s readers believe it still."""
        # Signatures are stored without fractions of a second.
        rows = self.counting().alias(second=TruncSecond("created_at"))
        later = Addendum.objects.filter(report=OuterRef("report"), signed_at__gte=OuterRef("second")).order_by()
        return rows.exclude(report__visit__status=VisitStatus.VOID).exclude(Exists(later))

    def misses(self) -> "ContradictedReportQuerySet":
        """The standing ones of reports that did not warn of what turned out to be malignant."""
        return self.standing().filter(is_miss=True)


class ContradictedReport(models.Model):
    """A signed report that said otherwise of a lesion than the laboratory. Append-only but for its end.

    An addendum corrects what readers of the report know; this row stays, since it was said. It is closed only by a
    correction after which no photograph in the report is of the lesion that the result is about.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    result = models.ForeignKey(PathologyResult, on_delete=models.PROTECT, related_name="contradicted_reports")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="contradicted_by")
    said = models.CharField(max_length=300, help_text=_("What the report and its addenda said of the lesion."))
    is_miss = models.BooleanField(help_text=_("The result is malignant, and the report did not warn of it."))
    created_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closing_reason = models.CharField(max_length=LONGEST_REASON, null=True)

    objects = ContradictedReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["result", "report"],
                condition=Q(closed_at__isnull=True),
                name="report_is_contradicted_once_by_a_result",
            ),
            models.CheckConstraint(condition=~Q(said=""), name="contradicted_report_said_something"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closing_reason__isnull=True)
                | (
                    Q(closed_at__isnull=False, closed_by__isnull=False, closing_reason__isnull=False)
                    & ~Q(closing_reason="")
                ),
                name="contradicted_report_is_closed_by_someone_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.said
