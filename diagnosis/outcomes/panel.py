"""What the lesion's page shows of its biopsies and results."""

from typing import Any

from diagnosis.outcomes.states import outcome_of
from patients.models import Lesion, Member


def outcome_panel(lesion: Lesion, member: Member | None) -> dict[str, Any]:
    """Return the context of ``outcomes/includes/panel.html``."""
    return {
        "outcome": outcome_of(lesion),
        "may_decide": member is not None and member.is_dermatologist,
    }
