"""The audit trail: who read or changed whose record. ``note_list`` and ``note_read`` are for views."""

from patients.audit.resources import audited, opened_as
from patients.audit.writing import AUDIT_TRAIL, note, note_change, note_list, note_read

__all__ = ["AUDIT_TRAIL", "audited", "note", "note_change", "note_list", "note_read", "opened_as"]
