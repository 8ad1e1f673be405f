from typing import Any

from django.db import migrations

from dermascan.core.append_only import AppendOnly
from diagnosis.migrations._outcome_rules import RULES_OF_CORRECTIONS, OutcomeRules

# A correction (decision 0019) may change to which lesion and visit a row belongs, and nothing that it says.
_SPECIMEN = ("id", "clinic_id", "kind", "sent_on", "sent_by_id", "laboratory", "recorded_by_id", "created_at")
_SPECIMEN_ONCE = ("number", "number_key", "withdrawn_by_id", "withdrawn_at", "withdrawal_reason")
_PLAN = ("id", "clinic_id", "lesion_id", "step", "due_on", "note", "stated_by_id", "stated_at")
_PLAN_ONCE = ("ending", "ending_reason", "ended_by_id", "ended_at")
_GROUP = ("id", "reviewer_id")
_DECISION = ("id", "group_id", "decision", "months", "member_id")


class AsBefore(AppendOnly):
    """Nothing on the way forward; on the way back, the trigger as it was."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """The next operation writes the trigger."""

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0010_lists"),
        ("patients", "0008_lists"),
    ]

    operations = [
        AsBefore(
            "specimen", "specimen_is_append_only", frozen=(*_SPECIMEN, "lesion_id", "visit_id"), once=_SPECIMEN_ONCE
        ),
        AppendOnly("specimen", "specimen_is_append_only", frozen=_SPECIMEN, once=_SPECIMEN_ONCE),
        OutcomeRules(RULES_OF_CORRECTIONS),
        AsBefore(
            "lesionplan",
            "lesion_plan_is_append_only",
            frozen=(*_PLAN, "visit_id"),
            once=(*_PLAN_ONCE, "ended_at_visit_id"),
        ),
        AppendOnly("lesionplan", "lesion_plan_is_append_only", frozen=_PLAN, once=_PLAN_ONCE),
        AsBefore("reviewgroup", "review_group_is_append_only", frozen=(*_GROUP, "lesion_id", "visit_id")),
        AppendOnly("reviewgroup", "review_group_is_append_only", frozen=_GROUP),
        AsBefore("managementdecision", "management_decision_is_append_only", frozen=(*_DECISION, "lesion_id")),
        AppendOnly("managementdecision", "management_decision_is_append_only", frozen=_DECISION),
    ]
