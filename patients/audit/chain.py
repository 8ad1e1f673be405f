"""Write entries and put them into the chain of their clinic.

An entry's hash covers its content and the hash before it, so that an entry that is changed, taken out or moved breaks
every later link. The chain's row is locked while entries are sealed, so that numbers have no gap when several
processes write at once.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from patients.models import AuditChain, AuditEntry

# In the order in which an entry is told to people and programs. All of it is hashed.
CONTENT = (
    "at", "actor_id", "actor_name", "role", "action", "outcome", "patient", "kind", "record", "place", "query",
    "count", "purpose", "legal_basis", "request_id", "address", "agent", "reason",
)  # fmt: skip
# The keys of the clinics' chains. A chain is made with its clinic and never goes, so that no key is ever another's.
_keys: dict[UUID, int] = {}
# Entries are sealed in parts, so that no chain is locked for long.
_MOST_AT_ONCE = 500


def write_sealed(entries: Sequence[AuditEntry]) -> None:
    """Store entries at the end of their chains, in one short transaction for each chain."""
    for chain_id in sorted({entry.chain_id for entry in entries}):
        with transaction.atomic(savepoint=False):
            chain = AuditChain.objects.select_for_update().get(pk=chain_id)
            own = [entry for entry in entries if entry.chain_id == chain_id]
            _link(chain, own)
            AuditEntry.objects.bulk_create(own)
            _keep(chain)


def write_unsealed(entry: AuditEntry) -> None:
    """Store an entry in the current transaction, to be sealed when that is committed."""
    entry.save(force_insert=True)
    chain_id = entry.chain_id
    transaction.on_commit(lambda: seal_pending(chain_id), robust=True)


def seal_pending(chain_id: int) -> int:
    """Seal the entries that were committed but not sealed, as after a crash; return their number."""
    count = 0
    while True:
        if not AuditEntry.objects.unsealed().filter(chain=chain_id).exists():
            return count
        with transaction.atomic():
            chain = AuditChain.objects.select_for_update().get(pk=chain_id)
            waiting = list(chain.entries.unsealed().order_by("pk")[:_MOST_AT_ONCE])
            _link(chain, waiting)
            AuditEntry.objects.bulk_update(waiting, ["sequence", "previous_hash", "entry_hash"])
            _keep(chain)
        count += len(waiting)


def seal_everything() -> int:
    """Seal what crashed processes left in any chain; return the number of entries."""
    waiting = AuditEntry.objects.unsealed().order_by().values_list("chain", flat=True).distinct()
    return sum(seal_pending(chain) for chain in list(waiting))


def chain_of(clinic_id: UUID | None) -> int:
    """Return the key of a clinic's chain, or of the installation's; it is made on first use."""
    if clinic_id in _keys:
        return _keys[clinic_id]
    key = AuditChain.objects.filter(clinic=clinic_id).values_list("pk", flat=True).first()
    if key is None:
        AuditChain.objects.bulk_create([AuditChain(clinic_id=clinic_id)], ignore_conflicts=True)
        key = AuditChain.objects.filter(clinic=clinic_id).values_list("pk", flat=True).get()
    if clinic_id is not None:
        _keys[clinic_id] = key
    return key


def hash_of(entry: AuditEntry) -> str:
    """Return the hash of an entry with its number and the hash before it."""
    told = {"sequence": entry.sequence, "previous": entry.previous_hash, **content_of(entry)}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def content_of(entry: AuditEntry) -> dict[str, Any]:
    """Return what the entry says, as JSON holds it."""
    return {name: _plain(getattr(entry, name)) for name in CONTENT}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if value is None or isinstance(value, int) else str(value)


def _link(chain: AuditChain, entries: Iterable[AuditEntry]) -> None:
    """Number and hash the entries, and move the head of the locked chain."""
    for entry in entries:
        entry.sequence, entry.previous_hash = chain.length + 1, chain.head
        entry.entry_hash = hash_of(entry)
        chain.length, chain.head = entry.sequence, entry.entry_hash


def _keep(chain: AuditChain) -> None:
    """Store the head of the locked chain. Not save(), which takes twice as long: every page waits for it."""
    AuditChain.objects.filter(pk=chain.pk).update(length=chain.length, head=chain.head)
