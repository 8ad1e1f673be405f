"""What a reader has been shown of a photograph before giving an opinion: the one place that decides it.

A review is blinded only if its reader had not been shown the answer before, on any page, in any session or by the
API. Pages about a photograph, its lesion, visit or patient record what they show. The clinic's lists of visits name
the most urgent sign of a visit, so that nothing urgent is overlooked. That is a place in a list and not an answer to
one photograph, so it is not counted. Today names no lesion as urgent to a reader who has not seen its answer.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Min
from django.utils import timezone

from diagnosis.images.models import Image
from diagnosis.reviews.models import Review, SeenAnswer
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


def hides_answer(member: Member, image: Image) -> bool:
    """Return whether the clinic's way of reading still hides the answer to ``image`` from ``member``."""
    return (
        member.is_dermatologist
        and member.clinic.reads_blinded
        and not has_seen(member, image)
        and not has_answered(member, image)
    )
