from django.db import migrations, models

_KINDS = ["drift", "refusals", "queue_age", "agreement", "calibration", "missed", "latency"]


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0002_fewer_watch_results"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="incident", name="incident_is_of_a_known_kind"),
        migrations.RemoveConstraint(model_name="incident", name="one_incident_of_a_kind_at_a_time"),
        migrations.RenameField(model_name="incident", old_name="watched", new_name="kind"),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", _KINDS)), name="incident_is_of_a_known_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "over"), _negated=True),
                fields=("clinic", "kind"),
                name="one_incident_of_a_kind_at_a_time",
            ),
        ),
        migrations.RenameModel(old_name="WatchDay", new_name="MonitoringDay"),
    ]
