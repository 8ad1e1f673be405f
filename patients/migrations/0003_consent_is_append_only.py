"""A record of what a patient said cannot be changed, whoever asks the database: a change of mind is a new record."""

from django.db import migrations

SQLITE = """
CREATE TRIGGER consent_is_append_only BEFORE UPDATE ON patients_consent FOR EACH ROW
BEGIN
  SELECT RAISE(ABORT, 'consent_is_append_only');
END
"""
POSTGRESQL_FUNCTION = """
CREATE FUNCTION consent_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'consent_is_append_only' USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""
POSTGRESQL_TRIGGER = """
CREATE TRIGGER consent_is_append_only BEFORE UPDATE ON patients_consent FOR EACH ROW
EXECUTE FUNCTION consent_is_append_only()
"""


def freeze(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_FUNCTION)
        schema_editor.execute(POSTGRESQL_TRIGGER)


def thaw(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER consent_is_append_only")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER consent_is_append_only ON patients_consent")
        schema_editor.execute("DROP FUNCTION consent_is_append_only()")


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_consent")]
    operations = [migrations.RunPython(freeze, thaw)]
