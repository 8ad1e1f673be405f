"""What raises a patient's risk: an append-only record of answers, in which the newest of each kind counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery

from patients.edits import ChangedMeanwhile, change_record, lost_names
from patients.models import Member, Patient, RiskAnswer, RiskFact, RiskKind
from patients.services.merged_records import lock_patient
from patients.services.same_clinic import ensure_same_clinic

SKIN_TYPE, DETAIL = "skin_type", "_detail"


@dataclass(frozen=True)
class RiskStatement:
    """The answer about one kind of risk, with its detail in the clinic's words."""

    answer: str = RiskAnswer.NOT_ASKED
    detail: str = ""


def risk_facts_of(patient_ids: Iterable[UUID]) -> dict[UUID, dict[str, RiskFact]]:
    """Return the newest answer of each kind that was recorded, by patient. One query."""
    newest = RiskFact.objects.filter(patient=OuterRef("patient"), kind=OuterRef("kind")).order_by("-number")
    rows = RiskFact.objects.filter(patient__in=list(patient_ids), pk=Subquery(newest.values("pk")[:1]))
    by_patient: dict[UUID, dict[str, RiskFact]] = {}
    for row in rows.select_related("recorded_by__user").order_by():
        by_patient.setdefault(row.patient_id, {})[row.kind] = row
    return by_patient


def risk_values(patient: Patient, facts: Mapping[str, RiskFact]) -> dict[str, str]:
    """Return what is recorded as the risk form shows it: the answer and the detail of each kind, and the skin type."""
    values = {SKIN_TYPE: patient.skin_type}
    for kind in RiskKind.values:
        fact = facts.get(kind)
        values[kind] = fact.answer if fact else str(RiskAnswer.NOT_ASKED)
        values[f"{kind}{DETAIL}"] = fact.detail if fact else ""
    return values


def record_risk(
    *,
    patient: Patient,
    by: Member,
    statements: Mapping[str, RiskStatement],
    skin_type: str | None = None,
    made_from: str | None = None,
) -> list[RiskFact]:
    """Record the answers that differ from what is recorded, and return them. ``statements`` is by kind.

    Args:
        skin_type: the patient's skin type; None leaves it as it is.
        made_from: the form's token; see ``patients.edits``.

    Raises ``ChangedMeanwhile`` if that would undo a colleague's newer answer, and ``RecordIsMerged``.
    """
    ensure_same_clinic(patient, by)
    with transaction.atomic():
        # Locking the patient prevents two answers from both taking the next number.
        patient = lock_patient(patient)
        facts = risk_facts_of([patient.pk]).get(patient.pk, {})
        new = {kind: statement.answer for kind, statement in statements.items()}
        new |= {f"{kind}{DETAIL}": statement.detail for kind, statement in statements.items()}
        new |= {} if skin_type is None else {SKIN_TYPE: skin_type}
        stored = risk_values(patient, facts)
        if made_from is not None and lost_names(stored=stored, new=new, made_from=made_from):
            raise ChangedMeanwhile(patient)
        if skin_type is not None and skin_type != patient.skin_type:
            change_record(patient, {SKIN_TYPE: skin_type}, by=by.user)
            patient.save(update_fields=[SKIN_TYPE, "changed_by", "changed_at"])
        changed = [
            kind
            for kind, statement in statements.items()
            if (statement.answer, statement.detail) != (stored[kind], stored[f"{kind}{DETAIL}"])
        ]
        return [
            patient.risk_facts.create(
                kind=kind,
                number=facts[kind].number + 1 if kind in facts else 1,
                answer=statements[kind].answer,
                detail=statements[kind].detail,
                recorded_by=by,
            )
            for kind in changed
        ]
