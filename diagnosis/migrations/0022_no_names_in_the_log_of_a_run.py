"""Runs are read by every clinic: who abandoned one is a column, which pages show to colleagues alone."""

from django.db import migrations

BEGINNING = "Abandoned by "


def take_names_out(apps, schema_editor):
    users = apps.get_model("patients", "User").objects
    runs = apps.get_model("diagnosis", "TrainingRun").objects
    for message in apps.get_model("diagnosis", "RunMessage").objects.filter(words__startswith=BEGINNING):
        user = users.filter(username=message.words[len(BEGINNING) :].removesuffix(".")).first()
        if user is not None:
            runs.filter(pk=message.run_id).update(abandoned_by=user)
        message.words = "Abandoned."
        message.save(update_fields=["words"])


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0021_proposals_of_versions")]
    operations = [migrations.RunPython(take_names_out, migrations.RunPython.noop)]
