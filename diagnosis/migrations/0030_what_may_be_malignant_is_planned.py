"""A label of which it is not known whether it is malignant asks for a plan or a reason, as a malignant one does."""

import importlib

from django.db import migrations

first = importlib.import_module("diagnosis.migrations.0024_danger_is_seen_and_planned")
before = importlib.import_module("diagnosis.migrations.0028_urgent_is_planned_whatever_the_label")

MAYBE = ("meltump", "spitz_atypical", "uncertain_skin", "other")


class _Widened:
    """A schema editor that writes the triggers of before with the longer list."""

    def __init__(self, schema_editor):
        self.connection, self._editor = schema_editor.connection, schema_editor

    def execute(self, sql, *args, **kwargs):
        shorter = f" IN {first._in(first.MALIGNANT)}"
        self._editor.execute(sql.replace(shorter, f" IN {first._in((*first.MALIGNANT, *MAYBE))}"), *args, **kwargs)


def demand(apps, schema_editor):
    before.demand(apps, _Widened(schema_editor))


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0029_a_consensus_takes_two")]
    operations = [migrations.RunPython(demand, before.demand)]
