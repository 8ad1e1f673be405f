"""What views, services and signals call to have something written into the audit trail."""

from typing import Any
from uuid import UUID

from patients.audit.acting import (
    OPERATOR,
    OUTSIDE,
    PATIENT,
    SYSTEM,
    Actor,
    Doing,
    current,
    current_or_system,
    one_line,
)
from patients.audit.chain import chain_of, write_unsealed
from patients.audit.spool import write_or_spool
from patients.models import AuditAction, AuditEntry, AuditOutcome, AuditPurpose, LegalBasis, Patient
from patients.models.audit import LONGEST_QUERY, LONGEST_REASON

_OF_ACCOUNTS = {
    AuditAction.SIGN_IN, AuditAction.SIGN_IN_FAILED, AuditAction.SIGN_OUT, AuditAction.PERMISSION,
    AuditAction.PROMOTION, AuditAction.COMMAND,
}  # fmt: skip
AUDIT_TRAIL = "audit trail"


def note_list(kind: str, count: int, *, query: str | None = None, exports: bool = False) -> None:
    """Note that a list of patients' records is shown: one entry with their number and what was asked for.

    Call it in the view; the entry is written before the response leaves.

    Args:
        kind: what is listed.
        count: how many of them are shown.
        query: what was searched or filtered; the request's query string by default.
        exports: it leaves as a file.
    """
    doing = current()
    if doing is None or doing.request is None:
        return
    action = AuditAction.EXPORT if exports else AuditAction.READ
    asked = query if query is not None else _query_of(doing)
    note(action, kind=kind, count=count, query=asked)


def note_read(patient: Patient, kind: str, record: str = "", *, count: int = 1) -> None:
    """Note that a view shows a patient's record which its address does not name."""
    if (doing := current()) is not None and doing.request is not None:
        note(AuditAction.READ, clinic_id=patient.clinic_id, patient=patient.pk, kind=kind, record=record, count=count)


def note(action: AuditAction, **facts: Any) -> None:
    """Note an act: written at the end of the request, before the response leaves, and at once outside of one."""
    doing = current_or_system()
    entry = entry_of(action, doing=doing, **facts)
    if doing.request is None:
        write_or_spool([entry])
    else:
        doing.noted.append(entry)


def note_change(action: AuditAction, **facts: Any) -> None:
    """Write a change in the transaction that makes it."""
    doing = current_or_system()
    doing.changed.add(facts.get("patient"))
    write_unsealed(entry_of(action, doing=doing, **facts))


def entry_of(
    action: AuditAction,
    *,
    doing: Doing,
    actor: Actor | None = None,
    clinic_id: UUID | None = None,
    patient: UUID | None = None,
    kind: str = "",
    record: Any = "",
    count: int = 1,
    query: str = "",
    outcome: AuditOutcome = AuditOutcome.SUCCESS,
    reason: str = "",
) -> AuditEntry:
    """Return the entry, not stored yet, of the record's clinic, of the actor's, or of the installation."""
    actor = actor or doing.who()
    if actor.user is None and patient is not None and doing.request is not None:
        actor = Actor(role=OUTSIDE)  # a doctor who was sent a link: nobody else sees a patient without an account
    purpose, legal_basis = _grounds(action, actor.role, kind)
    return AuditEntry(
        chain_id=chain_of(clinic_id or actor.clinic_id),
        actor=actor.user,
        actor_name=actor.name,
        role=actor.role,
        action=action,
        outcome=outcome,
        patient=patient,
        kind=kind[:40],
        record=one_line(str(record), 64),
        place=_place_of(doing),
        query=one_line(query, LONGEST_QUERY),
        count=count,
        purpose=purpose,
        legal_basis=legal_basis,
        request_id=doing.request_id,
        address=doing.address,
        agent=doing.agent,
        reason=one_line(reason, LONGEST_REASON),
    )


def _grounds(action: AuditAction, role: str, kind: str) -> tuple[AuditPurpose, LegalBasis]:
    """Return why this is done, and what allows it."""
    if role == PATIENT and action not in _OF_ACCOUNTS:
        return AuditPurpose.PATIENT_REQUEST, LegalBasis.OWN_ACCESS
    if role in (OPERATOR, SYSTEM) or action in (AuditAction.COMMAND, AuditAction.PROMOTION):
        return AuditPurpose.ADMINISTRATION, LegalBasis.SECURITY
    if action in _OF_ACCOUNTS or kind == AUDIT_TRAIL:
        return AuditPurpose.OPERATIONS, LegalBasis.SECURITY
    return AuditPurpose.TREATMENT, LegalBasis.CARE


def _place_of(doing: Doing) -> str:
    match = getattr(doing.request, "resolver_match", None)
    return one_line(str(match.view_name or match.route) if match else doing.place, 100)


def _query_of(doing: Doing) -> str:
    """Return what the address asks for, as people read it."""
    assert doing.request is not None
    asked = doing.request.GET
    return "&".join(f"{name}={value}" for name in asked for value in asked.getlist(name) if value)
