"""Permanent assignment of each lesion to the training set or the held-out test set."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from diagnosis.retraining.models import Part, TestAssignment
from patients.models import Lesion

_BATCH = 500


def assign_parts(lesions: Iterable[Lesion], *, keep: bool = True) -> dict[UUID, str]:
    """Return the part of every lesion, assigning those that have none yet.

    Two lesions of one patient at one site may be the same lesion registered twice, so they share the part that the
    site was assigned first. The draw is a hash of the patient's random key and the site: nobody can influence it, and
    concurrent processes get the same result. With ``keep=False`` nothing is stored.
    """
    lesions_by_key = {lesion.pk: lesion for lesion in lesions}
    patients = {lesion.patient_id for lesion in lesions_by_key.values()}
    assigned: dict[UUID, str] = {}
    by_place: dict[tuple[UUID, str, str], str] = {}
    for batch in _batches(sorted(patients)):
        rows = TestAssignment.objects.filter(lesion__patient__in=batch).select_related("lesion").order_by("pk")
        for row in rows:
            assigned[row.lesion_id] = row.part
            by_place.setdefault(_place(row.lesion), row.part)
    new = {
        key: by_place.get(_place(lesion), drawn_part(lesion))
        for key, lesion in lesions_by_key.items()
        if key not in assigned
    }
    if keep:
        new_rows = [TestAssignment(lesion_id=key, part=part) for key, part in new.items()]
        TestAssignment.objects.bulk_create(new_rows, ignore_conflicts=True, batch_size=_BATCH)
    return {key: assigned.get(key) or new[key] for key in lesions_by_key}


def drawn_part(lesion: Lesion) -> str:
    """Return the part that is drawn for a lesion."""
    place = ":".join(str(word) for word in _place(lesion))
    draw = int.from_bytes(hashlib.sha256(f"locked test:{place}".encode()).digest()[:8]) / 2**64
    return Part.TEST if draw < settings.RETRAINING_LOCKED_SHARE else Part.TRAIN


def _place(lesion: Lesion) -> tuple[UUID, str, str]:
    return lesion.patient_id, lesion.body_site, lesion.side


def _batches(keys: list[UUID]) -> Iterable[list[UUID]]:
    return (keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH))
