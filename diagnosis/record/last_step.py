"""A reader's last step on the review screen, while it can be undone."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from dermascan.core.clock import within
from diagnosis.assessment.advice import contradicts_tier
from diagnosis.assessment.photographs import photograph_of
from diagnosis.images.models import Image
from diagnosis.reports.models import Report
from diagnosis.reports.validity import reports_contradicted_by
from diagnosis.reviews.answers import LabelState, is_malignant_answer
from diagnosis.reviews.blinding import has_seen
from diagnosis.reviews.contradictions import Label, contradictions_of
from diagnosis.reviews.labelled_images import MALIGNANT
from diagnosis.reviews.models import ConfirmedLabel, QueueSkip, Review
from diagnosis.reviews.models.review import RETRACTABLE_FOR
from patients.models import Lesion, Member


@dataclass(frozen=True)
class LastStep:
    """The reader's last step while it can be undone: a review, or a skipped photograph.

    Attributes:
        conflicting: the lesion's other confirmed diagnoses, if its labels contradict each other.
        reports: signed reports that contradict the label of the photograph or its lesion.
        network: the network's answer if the review contradicts its urgency, which may reveal a wrong key press.
        colleague: the colleagues who called it malignant, if the review disagrees and so does not settle the label.
        is_undoable: False for a blinded review whose reader has seen the answer since.
    """

    image: Image
    review: Review | None = None
    conflicting: str = ""
    reports: Sequence[Report] = ()
    network: str = ""
    colleague: str = ""
    is_undoable: bool = True

    @property
    def url(self) -> str:
        """The page of what was reviewed: the photograph, or the lesion at its visit."""
        if self.review is not None and self.review.group is not None:
            return reverse("admin:review-lesion", args=[self.image.visit_id, self.image.lesion_id])
        return reverse("admin:review-photograph", args=[self.image.pk])

    @property
    def key(self) -> str:
        """The step's identifier, so that a stale page cannot undo another step."""
        return f"{self.image.pk}:{self.review.pk if self.review else 'skip'}"


def last_step(member: Member, *, is_blinded: bool = False) -> LastStep | None:
    """Return the reader's newest step if it can still be undone; None otherwise.

    For a blinded reader who has not looked at the answer it has no details: they would reveal the labels of the
    lesion's other photographs, which may come next, and whether the answer settled the label.
    """
    reviews = Review.objects.filter(reviewer=member).select_related("image__lesion", "image__visit__patient")
    review: Review | None = reviews.select_related("retraction", "group").newest_first().first()
    skips = QueueSkip.objects.filter(member=member, created_at__range=within(RETRACTABLE_FOR))
    skip = skips.select_related("image__lesion", "image__visit__patient").order_by("-step").first()
    if skip is not None and (review is None or skip.step > review.step):
        return LastStep(skip.image)
    if review is None or not review.is_retractable:
        return None
    was_seen = has_seen(member, review.image)
    if is_blinded and not was_seen:
        return LastStep(review.image, review)
    return LastStep(
        review.image,
        review,
        _conflicting(review),
        reports_contradicted_by(review.image),
        _contradicted_answer(review),
        _dissenting_colleagues(review),
        is_undoable=not (review.was_blinded and was_seen),
    )


def _dissenting_colleagues(review: Review) -> str:
    """Return the colleagues who called it malignant, if the label is disputed and the review disagrees."""
    is_disputed = ConfirmedLabel.objects.filter(image=review.image_id, state=LabelState.DISPUTED).exists()
    if not is_disputed or is_malignant_answer(review.answer):
        return ""
    others = Review.objects.newest_of_each_reader().filter(image=review.image_id, answer__in=MALIGNANT)
    others = others.exclude(reviewer=review.reviewer_id).select_related("reviewer__user", "outside_reader")
    return ", ".join(f"{other.reader.name}: {other.answer_words}" for other in others.newest_first())


def _conflicting(review: Review) -> str:
    """Return the other confirmed diagnoses of the lesion's photographs, if their labels contradict each other."""
    own = Label(review.answer, review.other_text).name
    contradictions = contradictions_of(Lesion.objects.filter(pk=review.image.lesion_id))
    return ", ".join(name for contradiction in contradictions for name in contradiction.names if name != own)


def _contradicted_answer(review: Review) -> str:
    """Return the network's answer if it is calm and the review malignant, or if it is urgent and the review benign."""
    photograph = photograph_of(review.image)
    if photograph.prediction is None:
        return ""
    contradicts = contradicts_tier(review.answer, photograph.prediction.shown_tier)
    return photograph.explained_class if contradicts else ""
