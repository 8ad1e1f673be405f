"""Review a lesion: one answer for all of its photographs of one visit, and what is to be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from diagnosis.images.models import Image
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.errors import NoPhotographChosen, PhotographsChanged
from diagnosis.reviews.labels import lock_image
from diagnosis.reviews.management import management_withdrawn, record_management_decision
from diagnosis.reviews.models import ManagementDecision, Review, ReviewGroup
from diagnosis.reviews.services import record_review, retract_review, reviews_token
from patients.models import Lesion, Member, Visit
from patients.services.same_clinic import ensure_dermatologist_of


@dataclass(frozen=True)
class LesionAtVisit:
    """What one answer is about: a lesion as it was photographed at one visit."""

    lesion: Lesion
    visit: Visit

    def photographs(self) -> ImageQuerySet:
        """Return its photographs in use, the oldest first."""
        in_use = Image.objects.in_use().filter(lesion=self.lesion, visit=self.visit)
        return in_use.order_by("created_at", "pk")


def record_lesion_review(
    *,
    of: LesionAtVisit,
    photographs: Sequence[UUID],
    reviewer: Member,
    was_blinded: bool,
    made_from: str | None = None,
    decision: str = "",
    months: int | None = None,
    **answer: Any,
) -> ReviewGroup:
    """Record one answer as a review of each of ``photographs``, with the management decision: all or nothing.

    Args:
        photographs: keys of those that the answer is about.
        was_blinded, made_from: see ``record_review``; the token is that of ``group_token``.
        decision: one of ``Management``; empty if nothing was decided.
        answer: the other arguments of ``record_review``.

    Raises:
        PermissionDenied: the reviewer is not a dermatologist of the patient's clinic.
        NoPhotographChosen, PhotographsChanged, AnsweredMeanwhile, OtherTextMissing, MonthsMissing: see
            ``diagnosis.reviews.errors``.
    """
    ensure_dermatologist_of(of.lesion.patient, reviewer)
    if not photographs:
        raise NoPhotographChosen
    with transaction.atomic():
        images = {image.pk: image for image in of.photographs()}
        if not set(photographs) <= images.keys():
            raise PhotographsChanged
        if decision:
            # The lesion before its photographs, as everything that locks both does.
            Lesion.objects.select_for_update(of=("self",)).get(pk=of.lesion.pk)
        chosen = [images[key] for key in images if key in set(photographs)]
        # One lock for all: it takes every photograph of the lesion, in the order of their keys.
        lock_image(chosen[0])
        if set(photographs) - set(of.photographs().values_list("pk", flat=True)):
            raise PhotographsChanged
        group = ReviewGroup.objects.create(lesion=of.lesion, visit=of.visit, reviewer=reviewer)
        for image in chosen:
            record_review(
                image=image,
                reviewer=reviewer,
                was_blinded=was_blinded,
                made_from=made_from,
                group=group,
                read_together=list(images.values()),
                **answer,
            )
        if decision:
            record_management_decision(
                lesion=of.lesion, member=reviewer, decision=decision, months=months, group=group
            )
    return group


def group_token(*, images: Sequence[Image], reader: Member) -> str:
    """Return the token of a form about several photographs: see ``reviews_token``."""
    return ",".join(filter(None, (reviews_token(image=image, reader=reader) for image in images)))


def retract_with_group(*, review: Review, by: Member) -> None:
    """Withdraw a review that was entered by mistake, with the others of its lesion and their decision.

    Raises:
        PermissionDenied, NothingToRetract, TooLateToRetract: see ``retract_review``.
    """
    if review.group is None:
        retract_review(review=review, by=by)
        return
    with transaction.atomic():
        for each in review.group.reviews.standing().select_related("image"):
            retract_review(review=each, by=by)
        decision = ManagementDecision.objects.filter(group=review.group).first()
        if decision is not None:
            management_withdrawn.send(sender=ManagementDecision, decision=decision)
