"""The content of the review screen, and what is hidden from a blinded reader until they have answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.clock import is_within, latest, within
from diagnosis.assessment.advice import contradicts_tier
from diagnosis.assessment.photographs import photograph_of, photographs
from diagnosis.assessment.presentation import present_prediction
from diagnosis.assessment.refusals import quality_facts
from diagnosis.images.condition_names import malignancy_name
from diagnosis.images.models import Image
from diagnosis.reports.models import Report
from diagnosis.reports.validity import reports_contradicted_by
from diagnosis.reviews.answer_fields import danger_named_in
from diagnosis.reviews.answers import (
    CANNOT_TELL,
    NOT_A_LESION,
    OTHER,
    Basis,
    Certainty,
    LabelState,
    is_malignant_answer,
)
from diagnosis.reviews.contradictions import Label, contradictions_of
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.forms import ReviewForm
from diagnosis.reviews.labelled_images import MALIGNANT
from diagnosis.reviews.models import ConfirmedLabel, QueueEntry, QueueSkip, QueueState, Review
from diagnosis.reviews.models.queue import NEEDS_CONSENSUS
from diagnosis.reviews.models.review import RETRACTABLE_FOR
from diagnosis.reviews.on_screen import others_before
from diagnosis.reviews.queue import COUNTED_AT_MOST, Offer, skipped_by
from diagnosis.reviews.review_words import answer_name
from diagnosis.reviews.services import reviews_token
from mlmodel.taxonomy import BY_CODE, CODES
from patients.models import Lesion, Member, ReviewRule

# Session keys: the reader's choice to work blinded, and the photographs whose answer they have seen.
BLINDED, SEEN = "review-blinded", "review-seen"
SEEN_AT_MOST = 500
OTHERS_SHOWN = 8
# Keys of the answers outside the seven classes; after the first, another diagnosis is typed.
KEYS = {OTHER: "8", CANNOT_TELL: "9", NOT_A_LESION: "0"}
CERTAINTY_WORDS = {Certainty.CERTAIN: _("Certain"), Certainty.PROBABLE: _("Probable"), Certainty.UNSURE: _("Unsure")}
CERTAINTY_KEYS = {Certainty.CERTAIN: "c", Certainty.PROBABLE: "p", Certainty.UNSURE: "u"}


class SeenAnswers:
    """The photographs whose network answer this session has shown."""

    def __init__(self, request: HttpRequest) -> None:
        self._session = request.session

    def holds(self, image: Image) -> bool:
        return str(image.pk) in self._session.get(SEEN, [])

    def add(self, image: Image) -> None:
        if not self.holds(image):
            self._session[SEEN] = [*self._session.get(SEEN, []), str(image.pk)][-SEEN_AT_MOST:]


@dataclass(frozen=True)
class AnswerButton:
    """The button of one answer, with its key."""

    answer: str
    name: str
    note: str
    key: str


@dataclass(frozen=True)
class Progress:
    """The reader's progress today. ``total`` includes skipped photographs; it is a lower bound if ``is_cut``."""

    done: int
    waiting: int
    skipped: int

    @property
    def total(self) -> int:
        return self.done + self.waiting + self.skipped

    @property
    def is_cut(self) -> bool:
        return self.waiting >= COUNTED_AT_MOST


@dataclass(frozen=True)
class LastStep:
    """The reader's last step while it can be undone: a review, or a skipped photograph.

    Attributes:
        conflicting: the lesion's other confirmed diagnoses, if its labels contradict each other.
        reports: signed reports that contradict the label of the photograph or its lesion.
        network: the network's answer if the review contradicts its urgency, which may reveal a wrong key press.
        colleague: the colleagues who called it malignant, if the review disagrees and so does not settle the label.
    """

    image: Image
    review: Review | None = None
    conflicting: str = ""
    reports: Sequence[Report] = ()
    network: str = ""
    colleague: str = ""

    @property
    def key(self) -> str:
        """The step's identifier, so that a stale page cannot undo another step."""
        return f"{self.image.pk}:{self.review.pk if self.review else 'skip'}"


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
    skipped = skipped_by(member)
    common = {
        "progress": Progress(done=_done_today(member), waiting=offer.waiting, skipped=skipped),
        "last": last_step(member, is_blinded=is_blinded(request, member)),
        "is_blinded": is_blinded(request, member),
        "is_always_blinded": member.clinic.review_rule == ReviewRule.TWO_BLINDED_READERS,
        "queue_url": reverse("admin:diagnosis_queueentry_changelist"),
    }
    if image is None:
        return Screen(None, common | {"skipped": skipped})
    own = _own_review(image, member)
    hides = is_blinded(request, member) and own is None and not SeenAnswers(request).holds(image)
    if not hides:
        SeenAnswers(request).add(image)
    following = offer.following
    entry = getattr(image, "queue_entry", None)
    form = form or ReviewForm(initial=_initial(image, member, entry))
    form.fields["other_text"].widget.attrs["data-key"] = KEYS[OTHER]
    details = {
        "form": form,
        "buttons": [answer_button(answer) for answer in (*CODES, *KEYS)],
        "certainties": [(value, words, CERTAINTY_KEYS[value]) for value, words in CERTAINTY_WORDS.items()],
        "bases": Basis.choices,
        "own": own,
        "entry": entry if entry is not None and entry.state == QueueState.WAITING else None,
        "hides": hides,
        "conflict": conflict,
        **on_screen(image, member),
        "next_display": reverse("image-file", args=[following.image_id, "display"]) if following else "",
        "patient": image.visit.patient,
        "visit": image.visit,
        "lesion": image.lesion,
        "age": _age_at_visit(image),
        "same_file": list(Image.objects.with_the_same_file(image).select_related("lesion__patient")[:OTHERS_SHOWN]),
        "others": photographs(
            Image.objects.in_use().filter(lesion=image.lesion_id).exclude(pk=image.pk), limit=OTHERS_SHOWN
        ),
    }
    return Screen(image, common, details if hides else details | _hidden_details(image))


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
    """Whether the reader works blinded, by the clinic's rule or by their own choice."""
    return member.clinic.review_rule == ReviewRule.TWO_BLINDED_READERS or bool(request.session.get(BLINDED))


def last_step(member: Member, *, is_blinded: bool = False) -> LastStep | None:
    """Return the reader's newest step if it can still be undone; None otherwise.

    For a blinded reader it has no details: they would reveal the labels of the lesion's other photographs, which may
    come next, and whether the answer settled the label.
    """
    reviews = Review.objects.filter(reviewer=member).select_related("image__lesion", "image__visit__patient")
    review: Review | None = reviews.select_related("retraction").newest_first().first()
    skips = QueueSkip.objects.filter(member=member, created_at__range=within(RETRACTABLE_FOR))
    skip = skips.select_related("image__lesion", "image__visit__patient").order_by("-step").first()
    if skip is not None and (review is None or skip.step > review.step):
        return LastStep(skip.image)
    if review is None or not review.is_retractable:
        return None
    if is_blinded:
        return LastStep(review.image, review)
    return LastStep(
        review.image,
        review,
        _conflicting(review),
        reports_contradicted_by(review.image),
        _contradicted_answer(review),
        _dissenting_colleagues(review),
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


def _initial(image: Image, member: Member, entry: QueueEntry | None) -> dict[str, Any]:
    """Return the form's initial values: those of a review that was just withdrawn, or the defaults."""
    made_from = {"made_from": reviews_token(image=image, reader=member)}
    newest = image.reviews.filter(reviewer=member).select_related("retraction").newest_first().first()
    if newest is not None and newest.is_retracted and is_within(newest.created_at, RETRACTABLE_FOR):
        withdrawn = {name: getattr(newest, name) for name in ("certainty", "basis", "reason", "other_text")}
        return {**withdrawn, **made_from, "danger": danger_named_in(newest.answer)}
    return {"certainty": Certainty.CERTAIN, "basis": _usual_basis(entry), **made_from}


def _own_review(image: Image, member: Member) -> Review | None:
    return image.reviews.standing().filter(reviewer=member).newest_first().first()


def on_screen(image: Image, member: Member) -> dict[str, Any]:
    """Return the names of the colleagues who have the photograph open."""
    return {"before_colleagues": others_before(image=image, member=member)}


def _usual_basis(entry: QueueEntry | None) -> str:
    return Basis.CONSENSUS if entry is not None and entry.needs == NEEDS_CONSENSUS else Basis.DERMATOSCOPY


def _done_today(member: Member) -> int:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Review.objects.standing().filter(reviewer=member, created_at__range=(midnight, latest()))
    # Counted in Python: for a DISTINCT query, SQLite reads all reviews.
    return len(set(today.order_by().values_list("image_id", flat=True)))


def _age_at_visit(image: Image) -> int:
    born, then = image.visit.patient.birth_date, image.visit.date
    return max(0, then.year - born.year - ((then.month, then.day) < (born.month, born.day)))
