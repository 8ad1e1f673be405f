"""A signed report cannot be altered, whoever asks the database: only its release may still be recorded, once."""

from django.db import migrations

FROZEN = ("id", "visit_id", "signed_by_id", "signed_at", "content", "content_sha256", "pdf", "pdf_sha256")
RELEASE = ("released_by_id", "released_at")

SQLITE = f"""
CREATE TRIGGER report_is_frozen BEFORE UPDATE ON diagnosis_report FOR EACH ROW
WHEN {" OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in FROZEN)}
  OR {" OR ".join(f'(OLD."{column}" IS NOT NULL AND OLD."{column}" IS NOT NEW."{column}")' for column in RELEASE)}
BEGIN
  SELECT RAISE(ABORT, 'report_is_frozen');
END
"""

POSTGRESQL_FUNCTION = """
CREATE FUNCTION report_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'report_is_frozen' USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""
POSTGRESQL_TRIGGER = f"""
CREATE TRIGGER report_is_frozen BEFORE UPDATE ON diagnosis_report FOR EACH ROW
WHEN ({" OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in FROZEN)}
  OR {" OR ".join(f'(OLD."{column}" IS NOT NULL AND OLD."{column}" IS DISTINCT FROM NEW."{column}")' for column in RELEASE)})
EXECUTE FUNCTION report_is_frozen()
"""


def freeze(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_FUNCTION)
        schema_editor.execute(POSTGRESQL_TRIGGER)


def thaw(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER report_is_frozen")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER report_is_frozen ON diagnosis_report")
        schema_editor.execute("DROP FUNCTION report_is_frozen()")


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0002_initial")]
    operations = [migrations.RunPython(freeze, thaw)]
