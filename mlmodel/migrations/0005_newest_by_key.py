"""Versions and decisions are listed in the order in which they were made, whatever clocks said."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mlmodel", "0004_decisions_of_two_people")]
    operations = [
        migrations.AlterModelOptions("decision", {"ordering": ["-pk"]}),
        migrations.AlterModelOptions("modelversion", {"ordering": ["-pk"]}),
    ]
