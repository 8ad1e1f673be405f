"""The history of records that are edited in place: every change with its values before and after."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Max, Model

from dermascan.core.rough_dates import RoughDate
from patients.models import Clinic, RecordChange, User
from patients.models.edited import Edited
from patients.models.record_change import LONGEST_REASON


def keep_history(
    record: Edited, before: Mapping[str, Any], after: Mapping[str, Any], *, by: User, reason: str = ""
) -> RecordChange | None:
    """Store which of the values ``before`` differ ``after`` the change; return None if none does.

    Call it in the transaction that saves the record, under the record's lock.
    """
    changes = {
        name: [stored_value(before[name]), stored_value(value)]
        for name, value in after.items()
        if stored_value(before[name]) != stored_value(value)
    }
    if not changes:
        return None
    newest = RecordChange.objects.of(record).aggregate(number=Max("number"))["number"]
    return RecordChange.objects.create(
        clinic_id=_clinic_of(record),
        kind=str(record._meta.model_name),
        record=record.pk,
        number=(newest or 0) + 1,
        changes=changes,
        by=by,
        reason=" ".join(reason.split())[:LONGEST_REASON],
    )


def stored_value(value: Any) -> Any:
    """Return a field's value as JSON holds it: a row by its key, a date as text."""
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (datetime.date, RoughDate)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


def _clinic_of(record: Any) -> UUID:
    if isinstance(record, Clinic):
        return record.pk
    clinic: UUID = record.patient.clinic_id if hasattr(record, "patient_id") else record.clinic_id
    return clinic
