"""Triggers that say which summaries of the lists are out of date, whatever code changed the record.

A trigger names no table but its own and ``diagnosis_stalesummary``, so that the other tables can be rebuilt. A migration
that rebuilds a watched table on SQLite drops its triggers: repeat ``WatchSummaries`` after it. A test compares them with
the database.
"""

from dataclasses import dataclass
from typing import Any

from django.db import migrations

STALE = "diagnosis_stalesummary"
EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


@dataclass(frozen=True)
class Watched:
    """A table, and by which of its columns the summaries that depend on it are found.

    Attributes:
        columns: column by kind of key.
        only: columns that matter; all if empty.
    """

    table: str
    columns: dict[str, str]
    only: tuple[str, ...] = ()


WATCHED = (
    Watched("patients_patient", {"patient": "id"}, only=("clinic_id",)),
    Watched("patients_lesion", {"lesion": "id"}),
    Watched("patients_visit", {"visit": "id"}),
    Watched("patients_lesionsymptoms", {"lesion": "lesion_id"}),
    Watched("patients_riskfact", {"patient": "patient_id"}),
    Watched("diagnosis_image", {"lesion": "lesion_id", "visit": "visit_id"}),
    Watched("diagnosis_prediction", {"image": "image_id"}),
    Watched("diagnosis_exclusion", {"image": "image_id"}),
    Watched("diagnosis_confirmedlabel", {"image": "image_id"}),
    Watched("diagnosis_review", {"image": "image_id"}),
    Watched("diagnosis_reviewretraction", {"review": "review_id"}),
    Watched("diagnosis_lesionplan", {"lesion": "lesion_id"}),
    Watched("diagnosis_lesionclosure", {"lesion": "lesion_id"}),
)
# Which answer is shown depends on the version that is active: a switch makes every summary stale.
VERSIONS = "mlmodel_modelversion"
EVERYTHING = f"INSERT INTO {STALE} (kind, key) SELECT 'all', '{'0' * 32}'"


def trigger_names() -> set[str]:
    return {name for name, _table, _create in _triggers("sqlite")}


class WatchSummaries(migrations.operations.base.Operation):
    """The triggers; they may be written again, and are then as they are here."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models do not know of them."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_backwards(app_label, schema_editor, from_state, to_state)
        for _name, _table, statements in _triggers(schema_editor.connection.vendor):
            for statement in statements:
                schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for name, table, _statements in _triggers(schema_editor.connection.vendor):
            if schema_editor.connection.vendor == "sqlite":
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
            else:
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
                schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")

    def describe(self) -> str:
        return "Say which summaries are out of date"


def _triggers(vendor: str) -> list[tuple[str, str, list[str]]]:
    """Return the name, table and statements of each trigger."""
    triggers = []
    for watched in WATCHED:
        events = {"UPDATE": EVENTS["UPDATE"]} if watched.only else EVENTS
        for event, rows in events.items():
            # An update that leaves the key as it is needs one mark.
            marks = [
                f"INSERT INTO {STALE} (kind, key) SELECT '{kind}', {row}.{column}"
                + (f" WHERE OLD.{column} <> NEW.{column}" if (event, row) == ("UPDATE", "OLD") else "")
                for row in rows
                for kind, column in watched.columns.items()
            ]
            what = f"UPDATE OF {', '.join(watched.only)}" if watched.only else event
            name = f"{watched.table}_{event.lower()}_makes_summaries_stale"
            triggers.append((name, watched.table, _create(name, what, watched.table, marks, vendor)))
    for event in ("INSERT", "UPDATE OF status"):
        name = f"version_{event.split()[0].lower()}_makes_summaries_stale"
        triggers.append((name, VERSIONS, _create(name, event, VERSIONS, [EVERYTHING], vendor)))
    return triggers


def _create(name: str, event: str, table: str, marks: list[str], vendor: str) -> list[str]:
    body = "; ".join(marks)
    if vendor == "sqlite":
        return [f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW BEGIN {body}; END"]
    if vendor == "postgresql":
        return [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$",
            f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return []
