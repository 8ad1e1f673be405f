import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0002_kinds_of_messages"),
    ]

    operations = [
        migrations.AddField(
            model_name="outgoingmessage",
            name="patient",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="patients.patient"
            ),
        ),
        migrations.AddIndex(
            model_name="outgoingmessage",
            index=models.Index(
                condition=models.Q(("state__in", ("refused", "given_up"))),
                fields=["kind", "finished_at"],
                name="messages_undelivered",
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["date", "id"], name="visits_of_a_day"),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["date", "id"], name="open_visits_by_date"
            ),
        ),
    ]
