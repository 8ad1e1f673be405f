"""Triggers for what holds between the rows of an outcome.

A specimen is of one patient of its clinic, and stays so when it is moved. A result is not received before its specimen
was sent, nor of a specimen that was withdrawn.
"""

from dataclasses import dataclass
from typing import Any

from django.db import migrations


@dataclass(frozen=True)
class Rule:
    """A trigger that refuses to write a row of ``table`` for which the condition ``is_broken`` holds."""

    name: str
    table: str
    is_broken: str
    event: str = "INSERT"


RULES = (
    Rule(
        "specimen_is_of_one_patient_of_its_clinic",
        "diagnosis_specimen",
        """NOT EXISTS (
            SELECT 1 FROM patients_lesion AS lesion JOIN patients_patient AS patient ON patient.id = lesion.patient_id
            WHERE lesion.id = NEW.lesion_id AND patient.clinic_id = NEW.clinic_id
            AND (NEW.visit_id IS NULL OR EXISTS (
                SELECT 1 FROM patients_visit AS visit
                WHERE visit.id = NEW.visit_id AND visit.patient_id = lesion.patient_id
            ))
        )""",
    ),
    Rule(
        "result_is_not_received_before_it_was_sent",
        "diagnosis_pathologyresult",
        """EXISTS (
            SELECT 1 FROM diagnosis_specimen AS specimen
            WHERE specimen.id = NEW.specimen_id
            AND (NEW.received_on < specimen.sent_on OR specimen.withdrawn_at IS NOT NULL)
        )""",
    ),
)

# For corrections, which move a specimen with its lesion: since 0011.
RULES_OF_CORRECTIONS = (
    Rule(
        "specimen_stays_with_one_patient_of_its_clinic",
        RULES[0].table,
        RULES[0].is_broken,
        event="UPDATE OF lesion_id, visit_id",
    ),
)


class OutcomeRules(migrations.operations.base.Operation):
    """The triggers; they may be written again, and are then as they are here."""

    reversible = True

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self.rules = rules

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Models do not know of them."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_backwards(app_label, schema_editor, from_state, to_state)
        for rule in self.rules:
            for statement in _statements(rule, schema_editor.connection.vendor):
                schema_editor.execute(statement)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for rule in self.rules:
            if schema_editor.connection.vendor == "sqlite":
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {rule.name}")
            elif schema_editor.connection.vendor == "postgresql":
                schema_editor.execute(f"DROP TRIGGER IF EXISTS {rule.name} ON {rule.table}")
                schema_editor.execute(f"DROP FUNCTION IF EXISTS {rule.name}()")

    def describe(self) -> str:
        return "What holds between the rows of an outcome"


def _statements(rule: Rule, vendor: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} FOR EACH ROW WHEN {rule.is_broken} "
            f"BEGIN SELECT RAISE(ABORT, '{rule.name}'); END"
        ]
    if vendor == "postgresql":
        # A function rather than WHEN, which may not look into other tables.
        return [
            f"CREATE FUNCTION {rule.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {rule.is_broken} THEN "
            f"RAISE EXCEPTION '{rule.name}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
            "RETURN NEW; END $$",
            f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} FOR EACH ROW "
            f"EXECUTE FUNCTION {rule.name}()",
        ]
    return []
