"""Which lesions are learnt from and which belong to the locked test: decided once and for ever."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from diagnosis.retraining.models import Part, TestAssignment
from patients.models import Lesion

_BATCH = 500


def assign_parts(lesions: Iterable[Lesion], *, keep: bool = True) -> dict[UUID, str]:
    """Return the part of every lesion, deciding for those that have none yet.

    Two lesions of one patient at one place may be one that was registered twice, so they share their part: what the
    place was given first counts. The draw is a hash of the patient's random key and the place: nobody chooses it, and
    two processes that ask at once come to the same. ``keep=False`` decides nothing and tells what would be decided.
    """
    wanted = {lesion.pk: lesion for lesion in lesions}
    patients = {lesion.patient_id for lesion in wanted.values()}
    known: dict[UUID, str] = {}
    by_place: dict[tuple[UUID, str, str], str] = {}
    for batch in _batches(sorted(patients)):
        rows = TestAssignment.objects.filter(lesion__patient__in=batch).select_related("lesion").order_by("pk")
        for row in rows:
            known[row.lesion_id] = row.part
            by_place.setdefault(_place(row.lesion), row.part)
    new = {key: by_place.get(_place(lesion), drawn_part(lesion)) for key, lesion in wanted.items() if key not in known}
    if keep:
        rows_to_keep = [TestAssignment(lesion_id=key, part=part) for key, part in new.items()]
        TestAssignment.objects.bulk_create(rows_to_keep, ignore_conflicts=True, batch_size=_BATCH)
    return {key: known.get(key) or new[key] for key in wanted}


def drawn_part(lesion: Lesion) -> str:
    """Draw the part of a lesion that has none."""
    place = ":".join(str(word) for word in _place(lesion))
    draw = int.from_bytes(hashlib.sha256(f"locked test:{place}".encode()).digest()[:8]) / 2**64
    return Part.TEST if draw < settings.RETRAINING_LOCKED_SHARE else Part.TRAIN


def _place(lesion: Lesion) -> tuple[UUID, str, str]:
    return lesion.patient_id, lesion.body_site, lesion.side


def _batches(keys: list[UUID]) -> Iterable[list[UUID]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
