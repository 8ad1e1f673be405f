"""The audit trail: for the clinic's manager, as a file, what is unusual in it; and for the patient it tells of."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dermascan.core.paging import AheadPaginator
from dermascan.core.spreadsheets import csv_file
from patients.access import is_operator, require_patient, require_role
from patients.audit import AUDIT_TRAIL, note_list, note_read
from patients.audit.acting import PATIENT, SYSTEM
from patients.audit.chain import chain_of
from patients.audit.forms import AuditFilterForm
from patients.audit.unusual import LEFT_AFTER, LOOKED_BACK, colleagues_read, looked_up_and_left, many_in_an_hour
from patients.middleware import ClinicRequest, MemberRequest
from patients.models import AuditAction, AuditChain, AuditEntry, AuditOutcome, Patient, Role
from patients.privacy import names_the_patient

PAGE_LENGTH = 50
MOST_ROWS = 100_000
_BATCH = 1000


@require_role(Role.MANAGER, operator=True)
@require_safe
def audit(request: ClinicRequest) -> HttpResponse:
    """Show the clinic's entries, the newest first; an operator without a clinic sees every chain's."""
    form, entries = _asked(request)
    number = request.GET.get("page", "")
    paginator = AheadPaginator(
        entries.select_related("actor", "chain__clinic"),
        PAGE_LENGTH,
        keys=entries.values_list("pk", flat=True),
        page=int(number) if number.isdecimal() and len(number) < 8 else 1,
    )
    page = paginator.get_page(number)
    note_list(AUDIT_TRAIL, len(page))
    context = {"form": form, "page": page, "rows": _with_patients(list(page)), "most_rows": MOST_ROWS}
    return render(request, "patients/audit.html", context, status=_status(form))


@require_role(Role.MANAGER, operator=True)
@names_the_patient
@require_safe
def audit_csv(request: ClinicRequest) -> Any:
    """Return what the filter finds as a file, the oldest first."""
    form, entries = _asked(request)
    if form.errors:
        return audit(request)
    keys = list(entries.order_by("pk").values_list("pk", flat=True)[:MOST_ROWS])
    note_list(AUDIT_TRAIL, len(keys), exports=True)
    return csv_file("audit", _rows(keys))


@require_role(Role.MANAGER)
@require_safe
def audit_unusual(request: MemberRequest) -> HttpResponse:
    """Show access that somebody should be able to explain."""
    chain = AuditChain.objects.get(pk=chain_of(request.member.clinic_id))
    colleagues, left, many = colleagues_read(chain), looked_up_and_left(chain), many_in_an_hour(chain)
    note_list(AUDIT_TRAIL, len(colleagues) + len(left) + len(many))
    context = {
        "days": LOOKED_BACK.days,
        "minutes": LEFT_AFTER.seconds // 60,
        "colleagues": colleagues,
        "left": left,
        "many": many,
    }
    return render(request, "patients/audit_unusual.html", context)


@require_patient
@require_safe
def my_access(request: ClinicRequest) -> HttpResponse:
    """Show patients who looked at their record or changed it: by day, person and act."""
    patient = Patient.objects.select_related("clinic").get(user=request.user)  # type: ignore[misc]
    told = AuditEntry.objects.filter(patient=patient.pk, outcome=AuditOutcome.SUCCESS).exclude(role=SYSTEM)
    days = (
        told.exclude(role=PATIENT, actor=request.user.pk)
        .order_by()
        .annotate(day=TruncDate("at", tzinfo=timezone.get_current_timezone()))
        .values("day", "actor__first_name", "actor__last_name", "actor_name", "role", "action")
        .annotate(count=Count("pk"))
        .order_by("-day", "actor_name", "role", "action")
    )
    page = Paginator(days, PAGE_LENGTH).get_page(request.GET.get("page"))
    note_read(patient, AUDIT_TRAIL, count=len(page))
    rows = [
        {
            **row,
            "who": f"{row['actor__first_name'] or ''} {row['actor__last_name'] or ''}".strip() or row["actor_name"],
            "role": _role(row["role"]),
            "action": AuditAction(row["action"]).label,
        }
        for row in page
    ]
    return render(request, "patients/my_access.html", {"page": page, "rows": rows, "clinic": patient.clinic})


def _asked(request: ClinicRequest) -> tuple[AuditFilterForm, Any]:
    clinic = request.member.clinic if request.member and not is_operator(request) else None
    form = AuditFilterForm(request.GET, clinic=clinic)
    entries = AuditEntry.objects.all() if is_operator(request) else AuditEntry.objects.visible_to(request.member)
    return form, form.narrow(entries).order_by("-pk")


def _status(form: AuditFilterForm) -> int:
    return HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK


def _with_patients(entries: Sequence[AuditEntry]) -> list[tuple[AuditEntry, Patient | None, str]]:
    """Return each entry with its patient, if they still exist, and the words for its actor's role."""
    patients = Patient.objects.in_bulk([entry.patient for entry in entries if entry.patient])
    return [(entry, patients.get(entry.patient), _role(entry.role)) for entry in entries]


def _role(role: str) -> str:
    others = {
        "patient": _("Patient"),
        "operator": _("Operator"),
        "outside": _("Doctor outside the clinic"),
        "visitor": _("Visitor"),
        "system": _("System"),
    }
    return str(Role(role).label) if role in Role.values else others.get(role, role)


def _rows(keys: Sequence[int]) -> Iterator[Sequence[Any]]:
    yield [
        _("Number"), _("Time"), _("User"), _("Role"), _("Action"), _("Outcome"), _("Patient"), _("Record number"),
        _("Kind"), _("Record"), _("Page"), _("Query"), _("Count"), _("Purpose"), _("Legal basis"), _("Request"),
        _("Address"), _("Browser"), _("Reason"), _("Hash"),
    ]  # fmt: skip
    for first in range(0, len(keys), _BATCH):
        found = AuditEntry.objects.in_bulk(keys[first : first + _BATCH])
        for entry, patient, role in _with_patients([found[key] for key in keys[first : first + _BATCH]]):
            yield [
                entry.sequence, entry.at.isoformat(), entry.actor_name, role, entry.get_action_display(),
                entry.get_outcome_display(), patient.name if patient else entry.patient,
                patient.record_number if patient else "", entry.kind, entry.record, entry.place, entry.query,
                entry.count, entry.get_purpose_display(), entry.get_legal_basis_display(), entry.request_id,
                entry.address, entry.agent, entry.reason, entry.entry_hash,
            ]  # fmt: skip
