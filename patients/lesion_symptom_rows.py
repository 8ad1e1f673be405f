"""The symptoms of lesions at visits as pages list them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from patients.models import Lesion, LesionSymptoms, Visit, VisitStatus
from patients.services.symptoms import newest_statements, symptoms_at


@dataclass(frozen=True)
class SymptomsRow:
    """One lesion at one visit; ``statement`` is None if nothing was recorded."""

    visit: Visit
    lesion: Lesion
    statement: LesionSymptoms | None

    @property
    def css_id(self) -> str:
        return f"symptoms-{self.lesion.pk.hex}"


@dataclass(frozen=True)
class VisitSymptoms:
    """The patient's lesions at a visit: those that were photographed or asked about, and the others."""

    seen: list[SymptomsRow]
    others: list[SymptomsRow]


def in_words(statement: LesionSymptoms) -> str:
    """Return what the patient reports and denies, in a line."""
    parts = [", ".join(statement.reported)] if statement.reported else []
    if statement.denied:
        parts.append(_("denied: %(symptoms)s") % {"symptoms": ", ".join(statement.denied)})
    return "; ".join([*parts, *([statement.since] if statement.since else [])])


def symptoms_row(visit: Visit, lesion: Lesion) -> SymptomsRow:
    return SymptomsRow(visit, lesion, symptoms_at([visit.pk]).get((visit.pk, lesion.pk)))


def symptoms_of_visit(visit: Visit, groups: Iterable[Any] = ()) -> VisitSymptoms:
    """Return the symptoms at a visit. ``groups`` are its photographs by lesion: each has a ``lesion``."""
    stated, photographed = symptoms_at([visit.pk]), {group.lesion.pk for group in groups}
    rows = [
        SymptomsRow(visit, lesion, stated.get((visit.pk, lesion.pk)))
        for lesion in visit.patient.lesions.order_by("number")
    ]
    seen = [row for row in rows if row.statement or row.lesion.pk in photographed]
    return VisitSymptoms(seen, [row for row in rows if row not in seen])


def symptoms_of_lesion(lesion: Lesion) -> list[SymptomsRow]:
    """Return what was recorded of a lesion at visits that are not void, newest visit first."""
    rows = newest_statements().filter(lesion=lesion).exclude(visit__status=VisitStatus.VOID)
    return [SymptomsRow(row.visit, lesion, row) for row in rows]
