"""A run knows which labels there were before it by their order, whatever clocks said.

Of those kept so far, dates tell: labels that were settled before the candidate was made counted as known to it.
"""

from django.db import migrations, models


def count_steps(apps, schema_editor):
    run_model, review = apps.get_model("diagnosis", "TrainingRun"), apps.get_model("diagnosis", "Review")
    for run in run_model.objects.select_related("candidate"):
        until = run.candidate.created_at if run.candidate else run.created_at
        before = review.objects.filter(created_at__lte=until).aggregate(newest=models.Max("step"))
        run_model.objects.filter(pk=run.pk).update(step=before["newest"] or 0)


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0024_danger_is_seen_and_planned"), ("mlmodel", "0005_newest_by_key")]
    operations = [
        migrations.AlterModelOptions("trainingrun", {"ordering": ["-step", "-created_at"]}),
        migrations.AddField(
            "trainingrun",
            "step",
            models.PositiveBigIntegerField(
                default=0,
                editable=False,
                help_text="The newest step when its photographs were chosen: labels of later steps are new.",
            ),
        ),
        migrations.RunPython(count_steps, migrations.RunPython.noop),
    ]
