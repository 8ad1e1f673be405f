"""The content of the review screen of a lesion: all of its photographs of one visit, and one answer for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from diagnosis.assessment.photographs import Photograph, contradictions_among, photographs, photographs_by_key
from diagnosis.assessment.presentation import AssessmentView, present_prediction
from diagnosis.images.models import Image
from diagnosis.record.review_screen import age_at_visit, common_content, form_content, is_blinded, usual_basis
from diagnosis.reviews.blinding import first_seen, note_seen
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.lesion_form import DECISIONS, NOT_HERE, LesionReviewForm
from diagnosis.reviews.lesion_queue import LesionOffer
from diagnosis.reviews.lesion_reviews import LesionAtVisit, group_token
from diagnosis.reviews.management import newest_decision
from diagnosis.reviews.models import Management, QueueEntry, Review
from diagnosis.reviews.on_screen import others_before
from patients.models import Member

OTHERS_SHOWN = 8
DECISION_KEYS = {
    Management.EXCISE: "e",
    Management.BIOPSY: "b",
    Management.FOLLOW: "f",
    Management.REFER: "r",
    Management.DISCHARGE: "d",
    NOT_HERE: "o",
}


@dataclass(frozen=True)
class PhotographShown:
    """One photograph of the lesion on the screen.

    Attributes:
        photograph: its answer and labels; None while they are hidden.
        view: the network's answer; None while it is hidden, or if there is none.
        own: the reader's newest review of it.
    """

    number: int
    image: Image
    is_ticked: bool
    photograph: Photograph | None = None
    view: AssessmentView | None = None
    own: Review | None = None


def reads_blinded_now(request: HttpRequest, member: Member, images: Sequence[Image]) -> bool:
    """Return whether an answer now is blinded: the answer to none of the photographs has been seen."""
    return is_blinded(request, member) and first_seen(member, images) is None


def lesion_content(
    request: HttpRequest,
    *,
    member: Member,
    of: LesionAtVisit,
    offer: LesionOffer,
    form: LesionReviewForm | None = None,
    conflict: AnsweredMeanwhile | None = None,
) -> dict[str, Any]:
    """Return the content for ``member``. If it includes the network's answers, they are recorded as seen."""
    images = list(of.photographs())
    own = _own_reviews(images, member)
    hides = reads_blinded_now(request, member, images) and not own
    earlier = Image.objects.in_use().filter(lesion=of.lesion).exclude(pk__in=[image.pk for image in images])
    others = photographs(earlier, limit=OTHERS_SHOWN)
    if not hides:
        note_seen(member, [*images, *(other.image for other in others)])
    waiting = {entry.image_id for entry in offer.entries}
    form = form or LesionReviewForm(images=images, initial=_initial(images, member, offer.entries))
    ticked = set(form["photographs"].value() or ()) if form.is_bound else None
    known = {} if hides else photographs_by_key(image.pk for image in images)
    shown = [
        PhotographShown(
            number=number,
            image=image,
            # Those that wait; all of them when the lesion is answered again.
            is_ticked=(str(image.pk) in ticked) if ticked is not None else (not waiting or image.pk in waiting),
            photograph=known.get(image.pk),
            view=_view(known.get(image.pk)),
            own=own.get(image.pk),
        )
        for number, image in enumerate(images, 1)
    ]
    # The most pressing answer of the network: labels are the same for all photographs once the reader has answered.
    leading = max(known.values(), key=lambda each: each.chip_of_answer.pressing, default=None)
    entries = sorted(offer.entries, key=lambda entry: -entry.priority)
    return {
        **common_content(request, member, waiting=offer.photographs, lesions=offer.lesions),
        **form_content(form),
        "decisions": [(value, words, DECISION_KEYS[value]) for value, words in DECISIONS],
        "is_by_lesion": True,
        "shown": shown,
        "image": images[0],
        "own": next(iter(own.values()), None),
        "entry": entries[0] if entries else None,
        "hides": hides,
        "conflict": conflict,
        "before_colleagues": others_before(image=images[0], member=member),
        "next_display": reverse("image-file", args=[offer.following.pk, "display"]) if offer.following else "",
        "patient": of.visit.patient,
        "visit": of.visit,
        "lesion": of.lesion,
        "age": age_at_visit(of.visit),
        "others": others,
        "leading": leading,
        "view": _view(leading),
        "contradictions": contradictions_among(known.values()),
        "reviews": _reviews(images) if not hides else [],
        "standing_decision": newest_decision(of.lesion) if not hides else None,
        "other_unit_url": reverse("admin:review-photograph", args=[images[0].pk]),
        "form_action": reverse("admin:review-lesion", args=[of.visit.pk, of.lesion.pk]),
        "skip_action": reverse("admin:review-lesion-skip", args=[of.visit.pk, of.lesion.pk]),
    }


def _view(photograph: Photograph | None) -> AssessmentView | None:
    if photograph is None or photograph.prediction is None:
        return None
    return present_prediction(
        photograph.prediction, case_context=photograph.case_context, is_warned=photograph.warns_of_danger
    )


def _own_reviews(images: Sequence[Image], member: Member) -> dict[Any, Review]:
    """Return the reader's newest review of each photograph."""
    rows = Review.objects.newest_of_each_reader().filter(image__in=images, reviewer=member)
    return {review.image_id: review for review in rows}


def _reviews(images: Sequence[Image]) -> list[Review]:
    """Return what dermatologists say of the lesion at this visit, newest first, one answer to several once."""
    rows = Review.objects.filter(image__in=images).select_related(
        "reviewer__user", "outside_reader", "retraction", "second_opinion", "group__decision"
    )
    once: dict[Any, Review] = {}
    for review in rows.newest_first():
        once.setdefault(review.group_id or review.pk, review)
    return list(once.values())


def _initial(images: Sequence[Image], member: Member, entries: Sequence[QueueEntry]) -> dict[str, Any]:
    basis = next((usual_basis(entry) for entry in entries if usual_basis(entry)), None)
    return {"basis": basis or usual_basis(None), "made_from": group_token(images=images, reader=member)}
