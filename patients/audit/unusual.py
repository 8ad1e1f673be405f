"""Access that a manager should look at: it may be right, and somebody should be able to say why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.db.models.functions import TruncHour
from django.utils import timezone

from patients.models import AuditAction, AuditChain, AuditEntry, Member, Patient
from patients.names import fold_name

LOOKED_BACK = timedelta(days=30)
# Who looks a name up opens a record within this time, or left.
LEFT_AFTER = timedelta(minutes=10)
# Letters typed one after the other are one search.
TYPING = timedelta(minutes=1)
MOST_SHOWN = 100
_SEEN = (AuditAction.READ, AuditAction.PRINT, AuditAction.EXPORT, AuditAction.UPDATE)


@dataclass(frozen=True)
class ColleagueRead:
    """A member's access to the record of somebody who seems to work at the clinic, perhaps themselves."""

    name: str
    patient: Patient
    is_own: bool
    count: int
    last: datetime


@dataclass(frozen=True)
class ManyRead:
    """Many patients' records opened within one hour."""

    name: str
    hour: datetime
    patients: int


def colleagues_read(chain: AuditChain) -> list[ColleagueRead]:
    """Return who opened the record of a colleague, or their own."""
    patients = {patient.pk: (patient, member) for patient, member in _patients_who_work_here(chain.clinic_id)}
    rows = (
        _recent(chain)
        .filter(patient__in=list(patients), action__in=_SEEN)
        .exclude(role="patient")
        .order_by()
        .values("actor", "actor_name", "patient")
        .annotate(count=Count("pk"), last=Max("at"))
    )
    return [
        ColleagueRead(row["actor_name"], patient, row["actor"] == member.user_id, row["count"], row["last"])
        for row in sorted(rows, key=lambda row: row["last"], reverse=True)[:MOST_SHOWN]
        for patient, member in [patients[row["patient"]]]
    ]


def looked_up_and_left(chain: AuditChain) -> list[AuditEntry]:
    """Return the searches for a patient after which no record was opened."""
    same = AuditEntry.objects.filter(chain=OuterRef("chain"), actor=OuterRef("actor"), at__gt=OuterRef("at"))
    opened = same.filter(patient__isnull=False, at__lte=OuterRef("at") + LEFT_AFTER)
    typed_on = same.filter(kind="patients", at__lte=OuterRef("at") + TYPING).exclude(query="")
    searches = _recent(chain).filter(kind="patients", action=AuditAction.READ, count__gte=1).exclude(query="")
    left = searches.filter(at__lt=timezone.now() - LEFT_AFTER).exclude(Exists(opened)).exclude(Exists(typed_on))
    return list(left.select_related("actor").order_by("-at")[:MOST_SHOWN])


def many_in_an_hour(chain: AuditChain) -> list[ManyRead]:
    """Return who opened more patients' records in an hour of the clock than ``DERMASCAN_AUDIT_MANY_AN_HOUR``."""
    rows = (
        _recent(chain)
        .filter(patient__isnull=False, actor__isnull=False, action__in=_SEEN)
        .order_by()
        .annotate(hour=TruncHour("at"))
        .values("actor", "actor_name", "hour")
        .annotate(patients=Count("patient", distinct=True))
        .filter(patients__gte=settings.AUDIT_MANY_AN_HOUR)
        .order_by("-hour")
    )
    return [ManyRead(row["actor_name"], row["hour"], row["patients"]) for row in rows[:MOST_SHOWN]]


def _recent(chain: AuditChain) -> Any:
    return AuditEntry.objects.filter(chain=chain, at__gte=timezone.now() - LOOKED_BACK)


def _patients_who_work_here(clinic_id: UUID | None) -> Iterator[tuple[Patient, Member]]:
    """Yield the clinic's patients who share an account, an e-mail address or a name with a member."""
    for member in Member.objects.filter(clinic=clinic_id).select_related("user"):
        user = member.user
        is_them = Q(user=user)
        if user.email:
            is_them |= Q(email__iexact=user.email)
        if user.first_name and user.last_name:
            is_them |= Q(folded_name=fold_name(f"{user.first_name} {user.last_name}"))
        for patient in Patient.objects.filter(is_them, clinic=clinic_id):
            yield patient, member
