"""In-memory archives of the embeddings that a clinic's members may search.

An archive only proposes candidates. It may be a moment out of date, for example when another process has just recorded
that a patient withdrew consent, so the database is queried again before a case is shown
(``diagnosis.similar.services``). Each search first takes in the changes since the last one.
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

# A change is dated when it is made but visible when its transaction commits, perhaps by another machine's clock.
OVERLAP = datetime.timedelta(seconds=60)
# Changes without a date, such as rows that an operator deleted, are picked up by a refill.
REFILL_AFTER = datetime.timedelta(hours=12)
MOST_ARCHIVES = 8
_BATCH_SIZE = 500


class ClinicArchive:
    """The embeddings of one space that members of one clinic may search. Safe for concurrent threads."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._lock = Lock()
        self._archive: Archive[UUID, UUID] = Archive()
        self._filled_at: datetime.datetime | None = None
        self._updated_at: datetime.datetime | None = None
        self._handled: set[tuple[UUID, Any]] = set()

    def nearest(
        self, query: npt.NDArray[np.floating], *, member: Member, count: int, without: Collection[UUID]
    ) -> list[tuple[UUID, float]]:
        """Return ids of photographs with their similarity, the most similar first, one per lesion."""
        with self._lock:
            self._take_in_changes(member, dimensions=len(query))
            return self._archive.nearest(query, count=count, without=without)

    def count(self, *, without: Collection[UUID]) -> int:
        """Return how many photographs the last search compared, without those of some lesions."""
        with self._lock:
            return self._archive.count(without=without)

    def _take_in_changes(self, member: Member, *, dimensions: int) -> None:
        now = timezone.now()
        # Queried first, so that changes made meanwhile are taken in next time.
        touched = self._touched_since((self._updated_at or now) - OVERLAP)
        if self._filled_at is None or now - self._filled_at > REFILL_AFTER or self._is_set_back(now):
            self._archive = Archive(dimensions)
            self._put(self._allowed(member))
            self._filled_at = now
        elif touched:
            allowed: set[UUID] = set()
            for keys in _batches(touched):
                allowed |= self._put(self._allowed(member).filter(pk__in=keys))
            self._archive.remove(touched - allowed)
        self._updated_at = now

    def _is_set_back(self, now: datetime.datetime) -> bool:
        """Whether the clock was set back by more than ``OVERLAP``: later changes then have earlier dates."""
        return self._updated_at is not None and self._updated_at - now > OVERLAP

    def _allowed(self, member: Member) -> ImageQuerySet:
        return confirmed_cases_for(member, space=self._space)

    def _touched_since(self, moment: datetime.datetime) -> set[UUID]:
        """Return the photographs that may have to be added or removed.

        They were embedded, labelled or excluded, their exclusion was undone, or their patient's consent changed.
        Changes that the previous update has handled are left out, since the periods overlap.
        """
        embedded = ImageEmbedding.objects.filter(space_sha256=self._space, embedded_at__gte=moment)
        changes: set[tuple[UUID, Any]] = {
            *embedded.values_list("image", "embedded_at"),
            *LabelChange.objects.filter(created_at__gte=moment).values_list("image", "pk"),
            *Exclusion.objects.filter(created_at__gte=moment).values_list("image", "pk"),
            *Exclusion.objects.filter(ended_at__gte=moment).values_list("image", "ended_at"),
        }
        consents = set(Consent.objects.filter(recorded_at__gte=moment).values_list("patient", "pk"))
        patients = {patient for patient, _record in consents - self._handled}
        touched = {image for image, _change in changes - self._handled}
        self._handled = changes | consents
        for keys in _batches(patients):
            touched |= set(Image.objects.filter(visit__patient__in=keys).values_list("pk", flat=True))
        return touched

    def _put(self, images: ImageQuerySet) -> set[UUID]:
        rows = images.order_by().values_list("pk", "lesion", "embedding__vector").iterator(chunk_size=_BATCH_SIZE)
        put: set[UUID] = set()
        while batch := list(islice(rows, _BATCH_SIZE)):
            keys, lesions, vectors = zip(*batch, strict=True)
            self._archive.put(keys, lesions, np.stack([read_vector(vector) for vector in vectors]))
            put.update(keys)
        return put


def archive_of(*, clinic_id: UUID, space: str) -> ClinicArchive:
    """Return this process's archive for the clinic. The least recently used archives are dropped."""
    with _lock:
        archive = _archives.pop((clinic_id, space), None) or ClinicArchive(space)
        _archives[clinic_id, space] = archive
        while len(_archives) > MOST_ARCHIVES:
            _archives.popitem(last=False)
        return archive


_lock = Lock()
_archives: OrderedDict[tuple[UUID, str], ClinicArchive] = OrderedDict()


def _batches(keys: Collection[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield the keys in batches, since a database limits the number of values in a query."""
    rest = iter(keys)
    while batch := list(islice(rest, _BATCH_SIZE)):
        yield batch
