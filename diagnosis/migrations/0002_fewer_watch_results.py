from django.db import migrations, models

from dermascan.core.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0001_initial"),
        ("patients", "0001_initial"),
    ]

    operations = [
        AppendOnly("answersettings", "answer_settings_are_append_only"),
        migrations.RemoveConstraint(model_name="answersettings", name="watch_level_is_known"),
        migrations.AlterField(
            model_name="answersettings",
            name="watch",
            field=models.CharField(
                choices=[
                    ("fewer", "Fewer of them"),
                    ("released", "As released"),
                    ("more", "More cautious"),
                    ("most", "Most cautious"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="answersettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("watch__in", ["fewer", "released", "more", "most"])), name="watch_level_is_known"
            ),
        ),
        AppendOnly("answersettings", "answer_settings_are_append_only"),
    ]
