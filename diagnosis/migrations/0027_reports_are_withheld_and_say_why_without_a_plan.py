"""A released report can be withheld by hand; and why a dangerous one has no plan is a sentence, kept in the record."""

import importlib
import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

before = importlib.import_module("diagnosis.migrations.0024_danger_is_seen_and_planned")

KEPT = ("id", "report_id", "reason", "note", "member_id", "created_at")
END = ("ended_by_id", "ended_at")
# As ``dermascan.core.sentences.is_a_sentence`` asks, as far as both databases can tell.
ENOUGH, OTHER_LETTERS = 10, 3


def _is_a_sentence(trim):
    reason = "COALESCE(NEW.no_plan_reason, '')"
    return (
        f"(length({trim(reason)}) >= {ENOUGH} AND "
        f"length(replace(lower({trim(reason)}), substr(lower({trim(reason)}), 1, 1), '')) >= {OTHER_LETTERS})"
    )


def _sqlite():
    def trim(text):
        return f"trim({text}, '{before.BLANK}')"

    start, end = before.SQLITE.index("OR trim("), before.SQLITE.index(") AND EXISTS")
    plan = trim("COALESCE(json_extract(NEW.content, '$.visit.plan'), '')")
    return f"{before.SQLITE[:start]}OR ({plan} = '' AND NOT {_is_a_sentence(trim)})\n{before.SQLITE[end:]}"


def _postgresql():
    blank = before.BLANK.replace("\\", "\\\\")

    def trim(text):
        return f"btrim({text}, E'{blank}')"

    text = before.POSTGRESQL_FUNCTION
    start, end = text.index("OR btrim("), text.index(") AND EXISTS")
    plan = trim("COALESCE(said #>> '{visit,plan}', '')")
    return f"{text[:start]}OR ({plan} = '' AND NOT {_is_a_sentence(trim)})\n  {text[end:]}"


def _changed(differs):
    return " OR ".join(
        [f'OLD."{column}" {differs} NEW."{column}"' for column in KEPT]
        + [f'(OLD."{column}" IS NOT NULL AND OLD."{column}" {differs} NEW."{column}")' for column in END]
    )


GUARDS = {
    "withholding_is_append_only": ("diagnosis_withholding", _changed),
    "no_plan_reason_is_frozen": (
        "diagnosis_report",
        lambda differs: f'OLD."no_plan_reason" {differs} NEW."no_plan_reason"',
    ),
}


def forbid(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    before.allow(apps, schema_editor)
    if vendor == "sqlite":
        schema_editor.execute(_sqlite())
    elif vendor == "postgresql":
        schema_editor.execute(_postgresql())
        schema_editor.execute(before.POSTGRESQL_TRIGGER)
    for name, (table, changed) in GUARDS.items():
        if vendor == "sqlite":
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN {changed('IS NOT')} "
                f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            )
        elif vendor == "postgresql":
            schema_editor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW "
                f"WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION {name}()"
            )


def allow(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for name, (table, _changed_) in GUARDS.items():
        if vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {name}")
        elif vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION {name}()")
    before.allow(apps, schema_editor)
    before.demand(apps, schema_editor)


def member(**more):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.member", **more
    )


REASONS = [
    ("diagnosis", "A diagnosis in it is being checked"),
    ("plan", "The plan in it is being checked"),
    ("details", "Details in it are being checked"),
]


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0026_photographs_on_screen"), ("patients", "0015_messages_name_no_site")]
    operations = [
        # No default: SQLite would rebuild the table for one, and its triggers would be lost.
        migrations.AddField(
            "report",
            "no_plan_reason",
            models.TextField(
                help_text="Why it was signed without a plan although it needs one; for the clinic.", null=True
            ),
        ),
        migrations.CreateModel(
            "Withholding",
            [
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reason", models.CharField(choices=REASONS, max_length=10)),
                ("note", models.CharField(help_text="For the clinic: what is wrong.", max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(help_text="When the report was released again.", null=True)),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withholdings",
                        to="diagnosis.report",
                    ),
                ),
                ("member", member()),
                ("ended_by", member(null=True)),
            ],
            options={
                "ordering": ["-created_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["report"],
                        condition=Q(ended_at__isnull=True),
                        name="report_is_withheld_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(reason__in=[reason for reason, _words in REASONS]),
                        name="withholding_has_a_reason",
                    ),
                    models.CheckConstraint(condition=~Q(note=""), name="withholding_says_what_is_wrong"),
                    models.CheckConstraint(
                        condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                        | Q(ended_by__isnull=False, ended_at__isnull=False, ended_at__gte=F("created_at")),
                        name="withholding_ends_after_it_began_by_someone",
                    ),
                ],
            },
        ),
        migrations.RunPython(forbid, allow),
    ]
