"""Check the chains: every entry against its hash and the one before it, and the end against the chain's head."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from patients.audit.chain import hash_of
from patients.models import AuditChain, AuditEntry

_AT_ONCE = 1000
# A process seals its entries within moments; the schedule, those of a crashed one within a minute.
UNSEALED_AT_MOST = timedelta(minutes=10)

# By chain ("" for the installation's): the hash of an entry by its number, as it was shipped.
Anchors = Mapping[str, Mapping[int, str]]


@dataclass(frozen=True)
class Verdict:
    """What became of one chain: how many entries hold, and the first fault, "" if there is none."""

    chain: AuditChain
    checked: int
    fault: str

    @property
    def clinic(self) -> str:
        return str(self.chain.clinic_id or "")


def verify_chain(chain: AuditChain, *, anchors: Mapping[int, str] | None = None) -> Verdict:
    """Check one chain from its first entry.

    Args:
        anchors: hashes by number that were kept elsewhere. Whoever rewrites the database can rewrite a chain and its
            head; what was shipped, they cannot.
    """
    # The head first: entries that are added meanwhile are beyond it.
    length, head = AuditChain.objects.values_list("length", "head").get(pk=chain.pk)
    number, previous = 0, ""
    known = anchors or {}
    for entry in _entries(chain):
        if number == length:
            break
        number += 1
        if fault := _fault_of(entry, number, previous, known):
            return Verdict(chain, number - 1, fault)
        previous = str(entry.entry_hash)
    if number < length or previous != head:
        return Verdict(chain, number, f"entry {number + 1} is missing: the chain ends early, at {number} of {length}")
    if later := [each for each in known if each > length]:
        return Verdict(chain, number, f"entry {min(later)} is missing: it was shipped, and the chain ends at {length}")
    if _forgotten(chain):
        words = f"entries after {number} were not sealed for over {UNSEALED_AT_MOST.total_seconds() / 60:.0f} minutes"
        return Verdict(chain, number, words)
    return Verdict(chain, number, "")


def read_anchors(path: Path) -> Anchors:
    """Return the hashes that a file of shipped entries holds. Raises ``OSError``, ``ValueError``."""
    anchors: dict[str, dict[int, str]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.strip():
                continue
            entry = json.loads(line[line.index("{") :])
            anchors.setdefault(str(entry["clinic"] or ""), {})[int(entry["sequence"])] = str(entry["hash"])
    return anchors


def _entries(chain: AuditChain) -> Iterator[AuditEntry]:
    """Yield the sealed entries in order, read in parts by their number."""
    last = 0
    while rows := list(chain.entries.filter(sequence__gt=last).order_by("sequence")[:_AT_ONCE]):
        yield from rows
        last = rows[-1].sequence or last


def _fault_of(entry: AuditEntry, number: int, previous: str, anchors: Mapping[int, str]) -> str:
    if entry.sequence != number:
        return f"entry {number} is missing"
    if entry.previous_hash != previous:
        return f"entry {number} does not follow the one before it"
    if entry.entry_hash != hash_of(entry):
        return f"entry {number} was changed"
    if number in anchors and anchors[number] != entry.entry_hash:
        return f"entry {number} is another one than was shipped"
    return ""


def _forgotten(chain: AuditChain) -> bool:
    return chain.entries.unsealed().filter(at__lt=timezone.now() - UNSEALED_AT_MOST).exists()
