"""The content of the review screen, and what is hidden from a blinded reader until they have answered."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import is_within, latest
from diagnosis.assessment.photographs import photograph_of, photographs
from diagnosis.assessment.presentation import present_prediction
from diagnosis.assessment.refusals import quality_facts
from diagnosis.images.condition_names import malignancy_name
from diagnosis.images.models import Image
from diagnosis.record.last_step import last_step
from diagnosis.reviews.answer_fields import danger_named_in
from diagnosis.reviews.answers import (
    CANNOT_TELL,
    NOT_A_LESION,
    OTHER,
    Basis,
    Certainty,
)
from diagnosis.reviews.blinding import has_seen, note_seen
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.forms import ReviewForm
from diagnosis.reviews.models import QueueEntry, QueueState, Review
from diagnosis.reviews.models.queue import NEEDS_CONSENSUS
from diagnosis.reviews.models.review import RETRACTABLE_FOR
from diagnosis.reviews.on_screen import others_before
from diagnosis.reviews.queue import COUNTED_AT_MOST, Offer, skipped_by
from diagnosis.reviews.review_words import answer_name
from diagnosis.reviews.services import reviews_token
from mlmodel.taxonomy import BY_CODE, CODES
from patients.models import Member, ReviewRule, Visit

# Session key: the reader's own choice to work blinded where the clinic shows the network's answer.
BLINDED = "review-blinded"
OTHERS_SHOWN = 8
# Keys of the answers outside the seven classes; after the first, another diagnosis is typed. 0 fits the photograph.
KEYS = {OTHER: "8", CANNOT_TELL: "9", NOT_A_LESION: "x"}
CERTAINTY_WORDS = {Certainty.CERTAIN: _("Certain"), Certainty.PROBABLE: _("Probable"), Certainty.UNSURE: _("Unsure")}
CERTAINTY_KEYS = {Certainty.CERTAIN: "c", Certainty.PROBABLE: "p", Certainty.UNSURE: "u"}


@dataclass(frozen=True)
class AnswerButton:
    """The button of one answer, with its key."""

    answer: str
    name: str
    note: str
    key: str


@dataclass(frozen=True)
class Progress:
    """The reader's progress today. ``total`` includes skipped photographs; it is a lower bound if ``is_cut``.

    ``lesions`` is of how many lesions the waiting photographs are.
    """

    done: int
    waiting: int
    skipped: int
    lesions: int

    @property
    def total(self) -> int:
        return self.done + self.waiting + self.skipped

    @property
    def is_cut(self) -> bool:
        return self.waiting >= COUNTED_AT_MOST


@dataclass(frozen=True)
class Screen:
    """The content of the screen. ``image`` is None if the queue is empty."""

    image: Image | None
    common: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        return {"image": self.image, **self.common, **self.details}


def screen(
    request: HttpRequest,
    *,
    member: Member,
    image: Image | None,
    offer: Offer,
    form: ReviewForm | None = None,
    conflict: AnsweredMeanwhile | None = None,
) -> Screen:
    """Return the content for ``member``. If it includes the network's answer, the answer is recorded as seen.

    Args:
        conflict: colleagues' reviews since the form was opened.
    """
    if image is None:
        return Screen(None, common_content(request, member, waiting=offer.waiting, lesions=offer.lesions))
    own = _own_review(image, member)
    of_the_lesion = Image.objects.in_use().filter(lesion=image.lesion_id).exclude(pk=image.pk)
    others = photographs(of_the_lesion, limit=OTHERS_SHOWN)
    hides = is_blinded(request, member) and own is None and not has_seen(member, image)
    if not hides:
        note_seen(member, [image, *(other.image for other in others)])
    common = common_content(request, member, waiting=offer.waiting, lesions=offer.lesions)
    following = offer.following
    entry = getattr(image, "queue_entry", None)
    form = form or ReviewForm(initial=_initial(image, member, entry))
    details = {
        **form_content(form),
        "own": own,
        "entry": entry if entry is not None and entry.state == QueueState.WAITING else None,
        "hides": hides,
        "conflict": conflict,
        **on_screen(image, member),
        "next_display": reverse("image-file", args=[following.image_id, "display"]) if following else "",
        "patient": image.visit.patient,
        "visit": image.visit,
        "lesion": image.lesion,
        "age": age_at_visit(image.visit),
        "same_file": list(Image.objects.with_the_same_file(image).select_related("lesion__patient")[:OTHERS_SHOWN]),
        "others": others,
        "other_unit_url": reverse("admin:review-lesion", args=[image.visit_id, image.lesion_id]),
        "form_action": reverse("admin:review-photograph", args=[image.pk]),
        "skip_action": reverse("admin:review-skip", args=[image.pk]),
    }
    return Screen(image, common, details if hides else details | _hidden_details(image))


def common_content(request: HttpRequest, member: Member, *, waiting: int, lesions: int) -> dict[str, Any]:
    """Return what is shown with every photograph and lesion, and when nothing waits."""
    skipped = skipped_by(member)
    return {
        "progress": Progress(done=done_today(member), waiting=waiting, skipped=skipped, lesions=lesions),
        "last": last_step(member, is_blinded=is_blinded(request, member)),
        "is_blinded": is_blinded(request, member),
        "is_always_blinded": member.clinic.reads_blinded,
        "queue_url": reverse("admin:diagnosis_queueentry_changelist"),
        "skipped": skipped,
    }


def form_content(form: ReviewForm) -> dict[str, Any]:
    """Return the answer form with its buttons and keys."""
    form.fields["other_text"].widget.attrs["data-key"] = KEYS[OTHER]
    return {
        "form": form,
        "buttons": [answer_button(answer) for answer in (*CODES, *KEYS)],
        "certainties": [(value, words, CERTAINTY_KEYS[value]) for value, words in CERTAINTY_WORDS.items()],
        "bases": Basis.choices,
    }


def _hidden_details(image: Image) -> dict[str, Any]:
    """Return what a blinded reader sees only after answering: the network's answer, reviews, label."""
    photograph = photograph_of(image)
    prediction = photograph.prediction
    facts = quality_facts(
        verdict=image.verdict,
        measures=image.measures,
        width=image.width,
        height=image.height,
        overridden=hasattr(image, "override"),
        kind=image.kind,
    )
    return {
        "prediction": prediction,
        "view": present_prediction(
            prediction, facts=facts, case_context=photograph.case_context, is_warned=photograph.warns_of_danger
        )
        if prediction
        else None,
        "chips": photograph.chips_of_labels,
        "contradictions": photograph.contradictions,
        "reviews": image.reviews.select_related("reviewer__user", "outside_reader", "retraction", "second_opinion"),
        "label_changes": image.label_changes.select_related("review__reviewer__user", "review__outside_reader"),
    }


def answer_button(answer: str) -> AnswerButton:
    return AnswerButton(
        answer=answer,
        name=str(_("Another diagnosis")) if answer == OTHER else answer_name(answer),
        note=malignancy_name(BY_CODE[answer]) if answer in BY_CODE else "",
        key=KEYS.get(answer) or str(CODES.index(answer) + 1),
    )


def is_blinded(request: HttpRequest, member: Member) -> bool:
    """Whether the reader works blinded, by the clinic's way of reading or by their own choice."""
    return member.clinic.reads_blinded or bool(request.session.get(BLINDED))


def shows_answer_at_once(member: Member) -> bool:
    """Whether a blinded reader sees the network's answer right after their own.

    Where two blinded readers decide, a review by somebody who has seen the answer does not count, so a wrong key could
    not be put right any more: there the answer is one click away.
    """
    return member.clinic.review_rule != ReviewRule.TWO_BLINDED_READERS


def _initial(image: Image, member: Member, entry: QueueEntry | None) -> dict[str, Any]:
    """Return the form's initial values: those of a review that was just withdrawn, or the defaults."""
    made_from = {"made_from": reviews_token(image=image, reader=member)}
    newest = image.reviews.filter(reviewer=member).select_related("retraction").newest_first().first()
    if newest is not None and newest.is_retracted and is_within(newest.created_at, RETRACTABLE_FOR):
        withdrawn = {name: getattr(newest, name) for name in ("certainty", "basis", "reason", "other_text")}
        return {**withdrawn, **made_from, "danger": danger_named_in(newest.answer)}
    # No certainty is preselected: it is part of the reader's own answer.
    return {"basis": usual_basis(entry), **made_from}


def _own_review(image: Image, member: Member) -> Review | None:
    return image.reviews.standing().filter(reviewer=member).newest_first().first()


def on_screen(image: Image, member: Member) -> dict[str, Any]:
    """Return the names of the colleagues who have the photograph open."""
    return {"before_colleagues": others_before(image=image, member=member)}


def usual_basis(entry: QueueEntry | None) -> str:
    return Basis.CONSENSUS if entry is not None and entry.needs == NEEDS_CONSENSUS else Basis.DERMATOSCOPY


def done_today(member: Member) -> int:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Review.objects.standing().filter(reviewer=member, created_at__range=(midnight, latest()))
    # Counted in Python: for a DISTINCT query, SQLite reads all reviews.
    return len(set(today.order_by().values_list("image_id", flat=True)))


def age_at_visit(visit: Visit) -> int:
    born, then = visit.patient.birth_date, visit.date
    return max(0, then.year - born.year - ((then.month, then.day) < (born.month, born.day)))
