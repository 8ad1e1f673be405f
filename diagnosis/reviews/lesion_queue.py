"""The review queue by lesion: the photographs of one lesion and visit are offered together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from diagnosis.images.models import Image
from diagnosis.reviews.models import QueueEntry, QueueSkip, ReaderPreference
from diagnosis.reviews.models.queue import Place
from diagnosis.reviews.queue import COUNTED_AT_MOST, claim, skip
from patients.models import Member
from patients.services.same_clinic import ensure_dermatologist_of


@dataclass(frozen=True)
class LesionOffer:
    """The queue of one reader, by lesion.

    Attributes:
        place: the lesion at a visit that is claimed for them, or that they have open. None if nothing waits.
        photographs: how many photographs wait, counted up to ``COUNTED_AT_MOST``.
        lesions: how many lesions these are of.
        following: a photograph of the next lesion, so that the browser can preload it.
        entries: those of ``place`` that wait.
    """

    place: Place | None
    photographs: int
    lesions: int
    following: Image | None = None
    entries: Sequence[QueueEntry] = field(default_factory=tuple)


def offer_lesion(member: Member, *, shown: Place | None = None) -> LesionOffer:
    """Return the reader's offer: claim the lesion with the most pressing photograph, unless ``shown`` is open.

    The order is that of the photographs, so that an urgent one brings its lesion to the front.
    """
    entries = list(QueueEntry.objects.open_to(member).in_order().with_places()[:COUNTED_AT_MOST])
    waiting = _by_place(entries)
    free = {place: rows for place, rows in waiting.items() if all(row.is_free_for(member) for row in rows)}
    place = shown or next((place for place, rows in free.items() if _claim_all(rows, member)), None)
    following = next((rows[0].image for other, rows in free.items() if other != place), None)
    return LesionOffer(
        place=place,
        photographs=len(entries),
        lesions=len(waiting),
        following=following,
        entries=tuple(waiting.get(place, ())) if place else (),
    )


def _by_place(entries: Iterable[QueueEntry]) -> dict[Place, list[QueueEntry]]:
    groups: dict[Place, list[QueueEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.place, []).append(entry)
    return groups


def _claim_all(entries: Sequence[QueueEntry], member: Member) -> bool:
    """Claim every photograph of a lesion; False if a colleague was faster with the first."""
    return claim(entries[0], member) and all(claim(entry, member) for entry in entries[1:])


def claim_lesion(*, images: Iterable[Image], member: Member) -> None:
    """Claim the photographs that wait, as far as no colleague has."""
    for entry in QueueEntry.objects.filter(image__in=[image.pk for image in images]):
        claim(entry, member)


def skip_lesion(*, images: Iterable[Image], member: Member) -> None:
    """Skip all photographs of a lesion for ``member``."""
    with transaction.atomic():
        for image in images:
            skip(image, member)


def bring_back_lesion(image: Image, member: Member) -> None:
    """Undo that ``member`` skipped the photographs of a lesion at a visit, of which ``image`` is one."""
    ensure_dermatologist_of(image.visit.patient, member)
    together = QueueSkip.objects.filter(image__visit=image.visit_id, image__lesion=image.lesion_id)
    together.filter(member=member).delete()


def reviews_by_lesion(member: Member) -> bool:
    return ReaderPreference.objects.filter(member=member, by_lesion=True).exists()


def prefer(member: Member, *, by_lesion: bool) -> None:
    """Remember how ``member`` likes to review."""
    ReaderPreference.objects.update_or_create(member=member, defaults={"by_lesion": by_lesion})
