import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from dermascan.core.append_only import AppendOnly

_SAID = ("id", "result_id", "report_id", "said", "is_miss", "created_at")
_CLOSED = ("closed_by_id", "closed_at", "closing_reason")
# A correction may put a review into another group, as it moves with its photograph, and nothing that it says.
_REVIEW = (
    "id", "image_id", "reviewer_id", "outside_reader_id", "answer", "other_text", "certainty", "basis", "reason",
    "was_blinded", "step", "answer_seen_at",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0012_plan_sources"),
        ("patients", "0008_lists"),
    ]

    operations = [
        AppendOnly("contradictedreport", "contradictedreport_is_append_only"),
        migrations.RemoveConstraint("contradictedreport", "report_is_contradicted_once_by_a_result"),
        migrations.AddField("contradictedreport", "closed_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "contradictedreport",
            "closed_by",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.member"
            ),
        ),
        migrations.AddField("contradictedreport", "closing_reason", models.CharField(max_length=500, null=True)),
        migrations.AddConstraint(
            "contradictedreport",
            models.UniqueConstraint(
                condition=Q(closed_at__isnull=True),
                fields=("result", "report"),
                name="report_is_contradicted_once_by_a_result",
            ),
        ),
        migrations.AddConstraint(
            "contradictedreport",
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closing_reason__isnull=True)
                | (
                    Q(closed_at__isnull=False, closed_by__isnull=False, closing_reason__isnull=False)
                    & ~Q(closing_reason="")
                ),
                name="contradicted_report_is_closed_by_someone_for_a_reason",
            ),
        ),
        AppendOnly("contradictedreport", "contradictedreport_is_append_only", frozen=_SAID, once=_CLOSED),
        AppendOnly("review", "review_is_append_only", frozen=_REVIEW),
    ]
