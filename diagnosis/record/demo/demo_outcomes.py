"""The demo clinic's specimens and laboratory results."""

import datetime
from typing import Any

from django.utils import timezone

from diagnosis.outcomes.pathology import Findings, confirm_result, enter_result
from diagnosis.outcomes.specimens import record_specimen
from patients.models import Lesion, Member


def add_specimen(data: dict[str, Any], lesions: list[Lesion], *, nurse: Member, dermatologist: Member) -> None:
    """Record a specimen and, if it has one, its result, entered by the nurse and confirmed by the dermatologist."""
    today = timezone.localdate()
    specimen = record_specimen(
        lesion=lesions[data["lesion"] - 1],
        by=nurse,
        kind=data["kind"],
        sent_on=today - datetime.timedelta(days=data["days_ago"]),
        sent_by=dermatologist,
        number=data["number"],
        laboratory=data["laboratory"],
    )
    if "result" not in data:
        return
    result = dict(data["result"])
    received_on = today - datetime.timedelta(days=result.pop("days_ago"))
    entered = enter_result(specimen=specimen, by=nurse, findings=Findings(received_on=received_on, **result))
    confirm_result(result=entered, by=dermatologist)
