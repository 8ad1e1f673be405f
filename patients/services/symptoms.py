"""Symptoms of a lesion at a visit: an append-only record, in which the newest statement counts."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from patients.edits import ChangedMeanwhile, lost_names
from patients.models import Lesion, LesionSymptoms, Member, SymptomAnswer, Visit
from patients.models.visit import SYMPTOMS
from patients.services.lesions import LesionOfAnotherPatient
from patients.services.same_clinic import ensure_same_clinic
from patients.services.visits import lock_open_visit

FIELDS = (*SYMPTOMS, "since")


def symptoms_at(visit_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], LesionSymptoms]:
    """Return what counts at these visits, by visit and lesion; lesions of which nothing was recorded are missing."""
    return {(row.visit_id, row.lesion_id): row for row in newest_statements().filter(visit__in=list(visit_ids))}


def newest_statements() -> QuerySet[LesionSymptoms]:
    """Return the statements that count: the newest of each lesion at each visit."""
    newest = LesionSymptoms.objects.filter(visit=OuterRef("visit"), lesion=OuterRef("lesion")).order_by("-number")
    rows = LesionSymptoms.objects.filter(pk=Subquery(newest.values("pk")[:1]))
    return rows.select_related("recorded_by__user", "visit", "lesion").order_by("-visit__date", "lesion__number")


def symptom_values(row: LesionSymptoms | None) -> dict[str, str]:
    """Return what is recorded as the form shows it."""
    return {name: str(getattr(row, name)) if row else "" for name in FIELDS}


def add_symptoms(*, visit: Visit, lesion: Lesion, by: Member, stated: Mapping[str, str]) -> list[str]:
    """Add what is stated to what is recorded of a lesion at an open visit; return the fields that it contradicts.

    For a form that does not show what is recorded in its fields: an answer that was left out changes nothing, and one
    that contradicts a recorded answer is not applied, so that no reported symptom is lost by it.

    Raises as ``record_symptoms``.
    """
    with transaction.atomic():
        lock_open_visit(visit_id=visit.pk)
        stored = symptom_values(symptoms_at([visit.pk]).get((visit.pk, lesion.pk)))
        answers = {name: value for name, value in stated.items() if value and value != stored[name]}
        contradicted = [name for name in answers if stored[name]]
        new = {name: value for name, value in answers.items() if name not in contradicted}
        if new:
            record_symptoms(visit=visit, lesion=lesion, by=by, **{**stored, **new})
    return contradicted


def record_symptoms(
    *,
    visit: Visit,
    lesion: Lesion,
    by: Member,
    itch: str = SymptomAnswer.NOT_ASKED,
    pain: str = SymptomAnswer.NOT_ASKED,
    bleeding: str = SymptomAnswer.NOT_ASKED,
    growth: str = SymptomAnswer.NOT_ASKED,
    since: str = "",
    made_from: str | None = None,
) -> LesionSymptoms | None:
    """Record what the patient reports of one lesion at an open visit; None if that is recorded already.

    ``made_from`` is the form's token; see ``patients.edits``.

    Raises ``VisitIsClosed``, ``LesionOfAnotherPatient``, ``ChangedMeanwhile``.
    """
    ensure_same_clinic(visit.patient, by)
    new = {"itch": itch, "pain": pain, "bleeding": bleeding, "growth": growth, "since": since}
    with transaction.atomic():
        visit = lock_open_visit(visit_id=visit.pk)
        # Read again: the lesion may have been moved to another patient while this waited.
        lesion = Lesion.objects.get(pk=lesion.pk)
        if lesion.patient_id != visit.patient_id:
            raise LesionOfAnotherPatient
        row = symptoms_at([visit.pk]).get((visit.pk, lesion.pk))
        stored = symptom_values(row)
        if made_from is not None and lost_names(stored=stored, new=new, made_from=made_from):
            raise ChangedMeanwhile(row or visit)
        if new == stored:
            return None
        return LesionSymptoms.objects.create(
            visit=visit, lesion=lesion, number=row.number + 1 if row else 1, recorded_by=by, **new
        )
