"""An urgent answer asks for a plan or a reason, unless the laboratory has called the lesion harmless.

A dermatologist's word alone took the question away before: the patient read “see within two weeks” and no plan.
"""

import importlib

from django.db import migrations

first = importlib.import_module("diagnosis.migrations.0024_danger_is_seen_and_planned")
before = importlib.import_module("diagnosis.migrations.0027_reports_are_withheld_and_say_why_without_a_plan")

HARMLESS = f"NOT IN {first._in(first.HARMLESS)}"


def _unless_proven(sql, code, basis):
    start = f"AND COALESCE({code}, '') {HARMLESS}"
    assert start in sql
    return sql.replace(start, f"AND (COALESCE({code}, '') {HARMLESS} OR COALESCE({basis}, '') <> 'histopathology')")


def demand(apps, schema_editor):
    first.allow(apps, schema_editor)
    if schema_editor.connection.vendor == "sqlite":
        code, basis = (f"json_extract(photograph.value, '$.confirmed.{name}')" for name in ("code", "basis"))
        schema_editor.execute(_unless_proven(before._sqlite(), code, basis))
    elif schema_editor.connection.vendor == "postgresql":
        code, basis = (f"photograph #>> '{{confirmed,{name}}}'" for name in ("code", "basis"))
        schema_editor.execute(_unless_proven(before._postgresql(), code, basis))
        schema_editor.execute(first.POSTGRESQL_TRIGGER)


def as_before(apps, schema_editor):
    first.allow(apps, schema_editor)
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(before._sqlite())
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(before._postgresql())
        schema_editor.execute(first.POSTGRESQL_TRIGGER)


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0027_reports_are_withheld_and_say_why_without_a_plan")]
    operations = [migrations.RunPython(demand, as_before)]
