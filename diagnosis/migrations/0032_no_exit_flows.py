from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0031_answer_settings"),
    ]

    operations = [
        migrations.DeleteModel(name="ExitFeatures"),
        migrations.RemoveConstraint(model_name="trainingrun", name="run_depth_is_known"),
        migrations.RemoveField(model_name="trainingrun", name="depth"),
    ]
