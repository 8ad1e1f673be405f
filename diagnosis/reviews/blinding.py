"""What a reader has been shown of a photograph before giving an opinion: the one place that decides it.

A review is blinded only if its reader had not been shown the answer before, on any page, in any session or by the
API. Pages about a photograph, its lesion or visit are opened to read the answer and record that it was shown. Lists
and the pages of a patient are opened for other reasons: they withhold the answers that their reader may still be asked
for (``unread_by``), and say of each alike that it waits for an answer. So nothing is known before, nothing reassures.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Exists, Min, OuterRef
from django.utils import timezone

from diagnosis.images.models import Image
from diagnosis.reviews.models import QueueEntry, Review, SeenAnswer
from diagnosis.reviews.models.queue import QueueQuerySet
from patients.models import Member

log = logging.getLogger(__name__)


def note_seen(member: Member | None, images: Iterable[Image]) -> None:
    """Record that ``member`` is shown the answers to ``images``: the network's, and what colleagues say.

    Only dermatologists give opinions, so nothing is recorded of others. Safe to run again: the first time counts.
    """
    if member is None or not member.is_dermatologist:
        return
    keys = {image.pk for image in images}
    new = keys - set(SeenAnswer.objects.filter(member=member, image__in=keys).values_list("image_id", flat=True))
    if not new:
        return
    now = timezone.now()
    try:
        with transaction.atomic():
            SeenAnswer.objects.bulk_create(
                [SeenAnswer(image_id=key, member=member, seen_at=now) for key in new], ignore_conflicts=True
            )
    except DatabaseError:
        # A page is still shown while the database cannot be written to; nor can a review be recorded then.
        log.warning("It was not recorded that %d answers were shown.", len(new), exc_info=True)


def first_seen(member: Member, images: Iterable[Image]) -> datetime | None:
    """Return when ``member`` was first shown the answer to one of ``images``; None if never."""
    rows = SeenAnswer.objects.filter(member=member, image__in=[image.pk for image in images])
    moment: datetime | None = rows.aggregate(first=Min("seen_at"))["first"]
    return moment


def has_seen(member: Member, image: Image) -> bool:
    return first_seen(member, [image]) is not None


def has_answered(member: Member, image: Image) -> bool:
    return Review.objects.standing().filter(image=image, reviewer=member).exists()


def reads_blinded(member: Member | None) -> bool:
    """Return whether ``member`` gives opinions in a clinic that hides the network's answer until then."""
    return member is not None and member.is_dermatologist and member.clinic.reads_blinded


def unread_by(member: Member | None) -> QueueQuerySet:
    """Return the entries of the photographs that ``member`` may still be asked to read blinded; none for others."""
    if member is None or not reads_blinded(member):
        return QueueEntry.objects.none()
    seen = SeenAnswer.objects.filter(member=member, image=OuterRef("image")).order_by()
    answered = Review.objects.standing().filter(reviewer=member, image=OuterRef("image")).order_by()
    return QueueEntry.objects.visible_to(member).waiting().filter(~Exists(seen), ~Exists(answered))


def unread_among(member: Member | None, images: Iterable[Image]) -> set[UUID]:
    """Return the keys of those photographs whose answer no list names to ``member``."""
    if not reads_blinded(member):
        return set()
    keys = [image.pk for image in images]
    return set(unread_by(member).filter(image__in=keys).values_list("image", flat=True))


def hides_answer(member: Member, image: Image) -> bool:
    """Return whether the clinic's way of reading still hides the answer to ``image`` from ``member``."""
    return reads_blinded(member) and not has_seen(member, image) and not has_answered(member, image)
