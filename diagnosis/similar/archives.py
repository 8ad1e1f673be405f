"""The vectors that a clinic's members may search, kept in this process.

An archive only proposes. What it holds may be a moment old, and another process may just have recorded that a patient
withdrew, so whoever shows a case asks the database for it first (``diagnosis.similar.services``). Each search takes in
what has changed since the last one, so that nothing that may be shown is missed either.
"""

import datetime
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from threading import Lock
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from diagnosis.images.models import Exclusion, Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.models import LabelChange
from diagnosis.similar.confirmed_cases import confirmed_cases_for
from diagnosis.similar.embeddings import read_vector
from diagnosis.similar.models import ImageEmbedding
from mlmodel.network.neighbours import Archive
from patients.models import Consent, Member

# A change is dated when it is made and seen when its transaction ends, by the clock of another machine perhaps.
OVERLAP = datetime.timedelta(seconds=60)
# What no date tells of, such as rows that an operator deleted, is put right by beginning anew.
REFILL_AFTER = datetime.timedelta(hours=12)
MOST_ARCHIVES = 8
_AT_ONCE = 500


class ClinicArchive:
    """What members of one clinic may search in one space. Threads take turns."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._lock = Lock()
        self._archive: Archive[UUID, UUID] = Archive()
        self._filled_at: datetime.datetime | None = None
        self._seen_at: datetime.datetime | None = None
        self._told: set[tuple[UUID, Any]] = set()

    def nearest(
        self, query: npt.NDArray[np.floating], *, member: Member, count: int, without: Collection[UUID]
    ) -> list[tuple[UUID, float]]:
        """Return ids of photographs with their similarity, the most alike first, one of each lesion."""
        with self._lock:
            self._take_in_changes(member, dimensions=len(query))
            return self._archive.nearest(query, count=count, without=without)

    def _take_in_changes(self, member: Member, *, dimensions: int) -> None:
        now = timezone.now()
        # Before anything is read, so that what changes meanwhile is taken in next time.
        touched = self._touched_since((self._seen_at or now) - OVERLAP)
        if self._filled_at is None or now - self._filled_at > REFILL_AFTER or self._is_set_back(now):
            self._archive = Archive(dimensions)
            self._put(self._allowed(member))
            self._filled_at = now
        elif touched:
            kept: set[UUID] = set()
            for some in _portions(touched):
                kept |= self._put(self._allowed(member).filter(pk__in=some))
            self._archive.remove(touched - kept)
        self._seen_at = now

    def _is_set_back(self, now: datetime.datetime) -> bool:
        """Whether the clock was set back further than two looks overlap: what changed since has earlier dates."""
        return self._seen_at is not None and self._seen_at - now > OVERLAP

    def _allowed(self, member: Member) -> ImageQuerySet:
        return confirmed_cases_for(member, space=self._space)

    def _touched_since(self, moment: datetime.datetime) -> set[UUID]:
        """Photographs that may have come or gone.

        They were placed, labelled, set aside or put back, or are of a patient who said something. What the
        last look has seen already, since the two overlap, is not told again.
        """
        placed = ImageEmbedding.objects.filter(space_sha256=self._space, embedded_at__gte=moment)
        found: set[tuple[UUID, Any]] = {
            *placed.values_list("image", "embedded_at"),
            *LabelChange.objects.filter(created_at__gte=moment).values_list("image", "pk"),
            *Exclusion.objects.filter(created_at__gte=moment).values_list("image", "pk"),
            *Exclusion.objects.filter(ended_at__gte=moment).values_list("image", "ended_at"),
        }
        said = set(Consent.objects.filter(recorded_at__gte=moment).values_list("patient", "pk"))
        patients = {patient for patient, _record in said - self._told}
        touched = {image for image, _change in found - self._told}
        self._told = found | said
        for some in _portions(patients):
            touched |= set(Image.objects.filter(visit__patient__in=some).values_list("pk", flat=True))
        return touched

    def _put(self, images: ImageQuerySet) -> set[UUID]:
        rows = images.order_by().values_list("pk", "lesion", "embedding__vector").iterator(chunk_size=_AT_ONCE)
        put: set[UUID] = set()
        while portion := list(islice(rows, _AT_ONCE)):
            keys, lesions, vectors = zip(*portion, strict=True)
            self._archive.put(keys, lesions, np.stack([read_vector(vector) for vector in vectors]))
            put.update(keys)
        return put


def archive_of(*, clinic_id: UUID, space: str) -> ClinicArchive:
    """Return this process's archive for the clinic; those that were used least lately make room."""
    with _lock:
        archive = _archives.pop((clinic_id, space), None) or ClinicArchive(space)
        _archives[clinic_id, space] = archive
        while len(_archives) > MOST_ARCHIVES:
            _archives.popitem(last=False)
        return archive


_lock = Lock()
_archives: OrderedDict[tuple[UUID, str], ClinicArchive] = OrderedDict()


def _portions(keys: Collection[UUID]) -> Iterator[Sequence[UUID]]:
    """A database takes only so many values in one query."""
    rest = iter(keys)
    while portion := list(islice(rest, _AT_ONCE)):
        yield portion
