"""How the mail of a contact message fared moves to the table of outgoing messages."""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone

# What was lost recently is still worth sending; the rest is shown to the operator as never delivered.
STILL_SENT = timedelta(days=7)


def move(apps, schema_editor):
    messages = apps.get_model("patients", "OutgoingMessage").objects
    now = timezone.now()
    for written in apps.get_model("dermascan", "ContactMessage").objects.iterator():
        values = {"kind": "contact", "about": written.pk, "created_at": written.created_at, "give_up_at": now}
        error = written.mail_error[:300]
        if written.mailed_at:
            messages.create(**values, state="sent", finished_at=written.mailed_at, attempts=1)
        elif written.created_at > now - STILL_SENT and not written.is_handled:
            messages.create(**{**values, "give_up_at": now + STILL_SENT}, last_error=error)
        else:
            messages.create(**values, state="given_up", finished_at=now, last_error=error or "never mailed")


class Migration(migrations.Migration):
    dependencies = [("dermascan", "0001_initial"), ("patients", "0009_outgoing_messages")]
    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.RemoveField(model_name="contactmessage", name="mail_error"),
        migrations.RemoveField(model_name="contactmessage", name="mailed_at"),
    ]
