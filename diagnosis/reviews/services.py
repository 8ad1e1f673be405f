"""Record and withdraw reviews. They are append-only: to change an answer is to add another review."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction

from diagnosis.images.errors import IsExcluded
from diagnosis.images.models import Image
from diagnosis.reviews.answers import FREE_TEXT, Basis, Cause, is_malignant_answer
from diagnosis.reviews.blinding import first_seen
from diagnosis.reviews.diagnoses import recognise
from diagnosis.reviews.errors import AnsweredMeanwhile, NothingToRetract, OtherTextMissing, TooLateToRetract
from diagnosis.reviews.labels import derive_label, lock_image
from diagnosis.reviews.models import OutsideReader, QueueSkip, Review, ReviewGroup, ReviewRetraction
from diagnosis.reviews.on_screen import look_away
from patients.models import Member
from patients.services.same_clinic import AnotherClinic, ensure_dermatologist_of


def record_review(
    *,
    image: Image,
    reviewer: Member,
    answer: str,
    certainty: str,
    reason: str = "",
    basis: str = Basis.DERMATOSCOPY,
    other_text: str = "",
    was_blinded: bool = False,
    made_from: str | None = None,
    group: ReviewGroup | None = None,
    read_together: Sequence[Image] = (),
) -> Review:
    """Add a review and recalculate the label. The visit may be signed: histopathology often comes later.

    Args:
        other_text: what it is, if the answer is “something else”; ignored otherwise. A diagnosis of the list is
            recognised by its names and recorded by its code.
        was_blinded: the reader answered before the network's answer was shown. Only a caller that hid it may set this;
            it is recorded only if no other page had shown it to the reader before.
        made_from: the token of the form, see ``reviews_token``; None for a caller that has just read the reviews.
        group: the review of the lesion that it belongs to, see ``diagnosis.reviews.lesion_reviews``.
        read_together: photographs that the same answer is about: to have seen the answer to one is to have seen all.

    Raises:
        PermissionDenied: the reviewer is not a dermatologist of the patient's clinic.
        OtherTextMissing, IsExcluded, AnsweredMeanwhile: see ``diagnosis.reviews.errors``.
    """
    ensure_dermatologist_of(image.visit.patient, reviewer)
    answer, other_text = _checked(answer, other_text)
    with transaction.atomic():
        image = lock_image(image)
        if image.exclusions.standing().exists():
            raise IsExcluded
        if made_from is not None:
            ensure_nobody_answered(image=image, reader=reviewer, made_from=made_from)
        seen_at = first_seen(reviewer, [image, *read_together])
        review = Review.objects.create(
            image=image,
            reviewer=reviewer,
            answer=answer,
            other_text=other_text,
            certainty=certainty,
            basis=basis,
            reason=reason.strip(),
            was_blinded=was_blinded and seen_at is None,
            answer_seen_at=seen_at,
            group=group,
        )
        QueueSkip.objects.filter(image=image, member=reviewer).delete()
        look_away(image=image, member=reviewer)
        derive_label(image=image, cause=Cause.REVIEW, review=review)
    return review


def record_outside_review(
    *, image: Image, reader: OutsideReader, answer: str, certainty: str, reason: str = "", other_text: str = ""
) -> Review:
    """Add the answer of a doctor outside the clinic who was asked, and recalculate the label, which it cannot settle.

    Raises:
        AnotherClinic: the doctor was asked by another clinic.
        OtherTextMissing, IsExcluded: see ``diagnosis.reviews.errors``.
    """
    if reader.clinic_id != image.visit.patient.clinic_id:
        raise AnotherClinic
    answer, other_text = _checked(answer, other_text)
    with transaction.atomic():
        image = lock_image(image)
        if image.exclusions.standing().exists():
            raise IsExcluded
        review = Review.objects.create(
            image=image,
            outside_reader=reader,
            answer=answer,
            other_text=other_text,
            certainty=certainty,
            reason=reason.strip(),
        )
        derive_label(image=image, cause=Cause.REVIEW, review=review)
    return review


def reviews_token(*, image: Image, reader: Member) -> str:
    """Return the token of a form for ``reader``: the colleagues' reviews that it takes into account."""
    return ",".join(sorted(review.pk.hex for review in _of_colleagues(image, reader)))


def ensure_nobody_answered(*, image: Image, reader: Member, made_from: str) -> None:
    """Raise ``AnsweredMeanwhile`` if a colleague has added a review that ``made_from`` does not contain."""
    seen = set(made_from.split(","))
    unseen = [review for review in _of_colleagues(image, reader) if review.pk.hex not in seen]
    if unseen:
        raise AnsweredMeanwhile(unseen)


def _of_colleagues(image: Image, reader: Member) -> list[Review]:
    reviews = image.reviews.standing().exclude(reviewer=reader).select_related("reviewer__user", "outside_reader")
    return list(reviews.newest_first())


def _checked(answer: str, other_text: str) -> tuple[str, str]:
    other_text = other_text.strip() if answer in FREE_TEXT else ""
    if answer in FREE_TEXT and not other_text:
        raise OtherTextMissing
    return _coded(answer, other_text)


def _coded(answer: str, other_text: str) -> tuple[str, str]:
    """Return the code of the diagnosis that free text names, unless that would make a malignant answer less so."""
    code = recognise(other_text)
    if not code or (is_malignant_answer(answer) and not is_malignant_answer(code)):
        return answer, other_text
    return code, ""


def retract_review(*, review: Review, by: Member) -> ReviewRetraction:
    """Withdraw a review that was entered by mistake. It stays on record; the label is recalculated without it.

    Raises:
        PermissionDenied: it is another member's review.
        NothingToRetract, TooLateToRetract: see ``diagnosis.reviews.errors``.
    """
    if review.reviewer_id != by.pk:
        raise PermissionDenied
    with transaction.atomic():
        image = lock_image(review.image)
        review = Review.objects.select_related("retraction").get(pk=review.pk)
        if review.is_retracted:
            raise NothingToRetract
        if not review.is_retractable:
            raise TooLateToRetract
        retraction = ReviewRetraction.objects.create(review=review)
        derive_label(image=image, cause=Cause.RETRACTION, review=review)
    return retraction


def retract_with_its_source(*, review: Review) -> None:
    """Withdraw a review together with the record that it was made from, such as a laboratory result.

    The time limit is for a reader's own opinion. Here the caller states who withdraws the source, and why; call this
    in its transaction. A review that was already withdrawn stays so.
    """
    with transaction.atomic():
        image = lock_image(review.image)
        if not ReviewRetraction.objects.filter(review=review).exists():
            ReviewRetraction.objects.create(review=review)
            derive_label(image=image, cause=Cause.RETRACTION, review=review)
