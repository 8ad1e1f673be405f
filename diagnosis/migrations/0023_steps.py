"""Reviews, predictions and skips are counted in one order, whatever clocks said.

Those kept so far are counted as their dates have it: nothing else is known of them.
"""

from django.db import migrations, models

import diagnosis.images.models.step

STEPS = ("prediction", "queueskip", "review")
# As in 0018, and now the order too.
FROZEN = ("id", "image_id", "reviewer_id", "answer", "other_text", "certainty", "basis", "reason", "was_blinded")


def count_steps(apps, schema_editor):
    every = " UNION ALL ".join(
        f"SELECT '{model}' AS model, CAST(id AS text) AS row_key, created_at FROM diagnosis_{model}" for model in STEPS
    )
    counted = (
        "SELECT model, row_key, row_number() OVER (ORDER BY created_at, model, row_key) AS place "
        f"FROM ({every}) AS every_step"
    )
    for model in STEPS:
        schema_editor.execute(
            f"UPDATE diagnosis_{model} SET step = counted.place FROM ({counted}) AS counted "
            f"WHERE counted.model = '{model}' AND counted.row_key = CAST(diagnosis_{model}.id AS text)"
        )
    schema_editor.execute(
        "UPDATE diagnosis_queueentry SET entered_after = COALESCE((SELECT said.step FROM diagnosis_review AS said "
        "WHERE said.created_at < diagnosis_queueentry.entered_at ORDER BY said.created_at DESC LIMIT 1), 0)"
    )
    schema_editor.execute(
        "UPDATE diagnosis_confirmedlabel SET settled_after = COALESCE((SELECT said.step FROM diagnosis_review AS said "
        "WHERE said.id = diagnosis_confirmedlabel.review_id), 0)"
    )


def freeze_with_step(apps, schema_editor):
    _freeze(schema_editor, (*FROZEN, "step"))


def freeze_without_step(apps, schema_editor):
    _freeze(schema_editor, FROZEN)


def _freeze(schema_editor, columns):
    """Create the trigger again: SQLite rebuilds a table to add a column, and drops its triggers."""
    name = "review_is_append_only"
    if schema_editor.connection.vendor == "sqlite":
        changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON diagnosis_review FOR EACH ROW WHEN {changed} "
            f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )
    elif schema_editor.connection.vendor == "postgresql":
        changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)
        schema_editor.execute(f"DROP TRIGGER {name} ON diagnosis_review")
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON diagnosis_review FOR EACH ROW WHEN ({changed}) "
            f"EXECUTE FUNCTION {name}()"
        )


def step(model):
    field = diagnosis.images.models.step.StepField(
        default=0, help_text="Which was first, whatever the clock said: greater than of all before it."
    )
    return migrations.AddField(model, "step", field, preserve_default=False)


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0022_no_names_in_the_log_of_a_run"),
        ("mlmodel", "0005_newest_by_key"),
    ]
    operations = [
        migrations.RunPython(migrations.RunPython.noop, freeze_without_step),
        migrations.AlterModelOptions("measurement", {"ordering": ["-pk"]}),
        migrations.AlterModelOptions("picturescale", {"ordering": ["-pk"]}),
        migrations.AlterModelOptions("prediction", {"ordering": ["-step"]}),
        migrations.AlterModelOptions("review", {"ordering": ["-step"]}),
        migrations.RemoveIndex("prediction", "predictions_of_an_image"),
        migrations.RemoveIndex("review", "reviews_of_an_image"),
        migrations.AddField(
            "confirmedlabel",
            "settled_after",
            models.PositiveBigIntegerField(default=0, help_text="The newest step when it became what it is."),
        ),
        migrations.AddField(
            "queueentry",
            "entered_after",
            models.PositiveBigIntegerField(
                default=0, help_text="The newest step when it began to wait: who reviewed it after that has read it."
            ),
        ),
        step("prediction"),
        step("queueskip"),
        step("review"),
        migrations.RunPython(count_steps, migrations.RunPython.noop),
        migrations.AddIndex("prediction", models.Index(fields=["image", "-step"], name="predictions_of_an_image")),
        migrations.AddIndex("prediction", models.Index(fields=["-step"], name="predictions_in_order")),
        migrations.AddIndex("queueskip", models.Index(fields=["-step"], name="skips_in_order")),
        migrations.AddIndex("review", models.Index(fields=["image", "-step"], name="reviews_of_an_image")),
        migrations.AddIndex("review", models.Index(fields=["reviewer", "-step"], name="reviews_of_a_reader_in_order")),
        migrations.AddIndex("review", models.Index(fields=["-step"], name="reviews_in_order")),
        # Going back, no column is dropped that a trigger reads.
        migrations.RunPython(freeze_with_step, freeze_without_step),
    ]
