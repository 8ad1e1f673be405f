"""Patients' consents: an append-only record, in which the newest entry counts."""

from dataclasses import dataclass

from django.db import transaction

from patients.edits import ensure_nothing_is_lost
from patients.models import Consent, Member, Patient, Purpose
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic


def record_consent(
    *, patient: Patient, by: Member, purpose: str, decision: str, method: str, made_from: str | None = None
) -> Consent:
    """Record that the patient agreed to ``purpose``, or refused or withdrew, and by which method.

    ``made_from`` is the form's token; see ``patients.edits``. Raises ``ChangedMeanwhile`` if another decision was
    recorded since.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        # Locking the patient prevents two records from both taking the next number.
        patient = lock_patient(patient)
        newest = patient.consents.filter(purpose=purpose).order_by("-number").first()
        if newest is not None:
            ensure_nothing_is_lost(newest, {"decision": decision}, made_from)
        return patient.consents.create(
            purpose=purpose,
            decision=decision,
            method=method,
            number=newest.number + 1 if newest else 1,
            recorded_by=by,
        )


@dataclass(frozen=True)
class ConsentState:
    """A patient's consent for one purpose; ``history`` is newest first."""

    purpose: Purpose
    history: tuple[Consent, ...]

    @property
    def newest(self) -> Consent | None:
        return self.history[0] if self.history else None

    @property
    def is_given(self) -> bool:
        return self.newest is not None and self.newest.is_given


def consent_states(patient: Patient) -> list[ConsentState]:
    """Return the patient's consent for every purpose, including those not asked about. One query."""
    records = list(patient.consents.select_related("recorded_by__user").order_by("-number"))
    return [
        ConsentState(purpose, tuple(record for record in records if record.purpose == purpose)) for purpose in Purpose
    ]
