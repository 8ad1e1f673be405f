"""Whether the operator was told of an incident moves to the table of outgoing messages."""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone


def move(apps, schema_editor):
    messages = apps.get_model("patients", "OutgoingMessage").objects
    now = timezone.now()
    for incident in apps.get_model("diagnosis", "Incident").objects.exclude(state="over"):
        for kind, told_at in (("incident", incident.mailed_at), ("incident_call", incident.called_at)):
            state = {"state": "sent", "finished_at": told_at, "attempts": 1} if told_at else {}
            messages.create(kind=kind, about=incident.pk, give_up_at=now + timedelta(days=4), **state)


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0018_diagnoses_outside_the_seven"), ("patients", "0009_outgoing_messages")]
    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.RemoveField(model_name="incident", name="called_at"),
        migrations.RemoveField(model_name="incident", name="mailed_at"),
    ]
