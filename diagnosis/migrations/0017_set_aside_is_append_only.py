"""That a photograph was set aside stays as it was said: only its end may still be recorded, once."""

from django.db import migrations

KEPT = ("id", "image_id", "reason", "note", "member_id", "created_at")
END = ("ended_by_id", "ended_at")


def _changed(differs):
    """SQL for a row that is no longer what was said; ``differs`` compares two values as this database does."""
    return " OR ".join(
        [f'OLD."{column}" {differs} NEW."{column}"' for column in KEPT]
        + [f'(OLD."{column}" IS NOT NULL AND OLD."{column}" {differs} NEW."{column}")' for column in END]
    )


def forbid(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(
            "CREATE TRIGGER set_aside_is_append_only BEFORE UPDATE ON diagnosis_setaside FOR EACH ROW "
            f"WHEN {_changed('IS NOT')} BEGIN SELECT RAISE(ABORT, 'set_aside_is_append_only'); END"
        )
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION set_aside_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'set_aside_is_append_only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            "CREATE TRIGGER set_aside_is_append_only BEFORE UPDATE ON diagnosis_setaside FOR EACH ROW "
            f"WHEN ({_changed('IS DISTINCT FROM')}) EXECUTE FUNCTION set_aside_is_append_only()"
        )


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER set_aside_is_append_only")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER set_aside_is_append_only ON diagnosis_setaside")
        schema_editor.execute("DROP FUNCTION set_aside_is_append_only()")


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0016_photographs_set_aside")]
    operations = [migrations.RunPython(forbid, allow)]
