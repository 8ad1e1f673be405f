"""What the review screen shows, and what it hides from a blinded reader until they have answered."""

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
from diagnosis.reports.validity import reports_that_say_otherwise
from diagnosis.reviews.answer_fields import danger_said
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

# In the session: whether the reader works blinded where that is left to them, and of what they saw the answer.
BLINDED, SEEN = "review-blinded", "review-seen"
SEEN_AT_MOST = 500
OTHERS_SHOWN = 8
# What is pressed for an answer that is none of the seven; other diagnoses are typed after the first.
KEYS = {OTHER: "8", CANNOT_TELL: "9", NOT_A_LESION: "0"}
CERTAINTY_WORDS = {Certainty.CERTAIN: _("Certain"), Certainty.PROBABLE: _("Probable"), Certainty.UNSURE: _("Unsure")}
CERTAINTY_KEYS = {Certainty.CERTAIN: "c", Certainty.PROBABLE: "p", Certainty.UNSURE: "u"}


class SeenAnswers:
    """The photographs of which this screen has shown the network's answer to the reader who is signed in."""

    def __init__(self, request: HttpRequest) -> None:
        self._session = request.session

    def holds(self, image: Image) -> bool:
        return str(image.pk) in self._session.get(SEEN, [])

    def add(self, image: Image) -> None:
        if not self.holds(image):
            self._session[SEEN] = [*self._session.get(SEEN, []), str(image.pk)][-SEEN_AT_MOST:]


@dataclass(frozen=True)
class AnswerButton:
    """One answer to press, with its key."""

    answer: str
    name: str
    note: str
    key: str


@dataclass(frozen=True)
class Progress:
    """The reader's day: ``done`` of ``total``, what was put aside included; more where ``is_cut``."""

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
    """What the reader did last, while it can be taken back: a review, or a photograph put aside.

    Attributes:
        conflicting: what else the lesion is confirmed as, where its labels contradict each other.
        reports: signed ones whose readers were told otherwise of it or of its lesion.
        network: what the network says, where the review contradicts it about danger: a slip of the key shows.
        colleague: who has called it malignant and is not agreed with, so that the review settles nothing.
    """

    image: Image
    review: Review | None = None
    conflicting: str = ""
    reports: Sequence[Report] = ()
    network: str = ""
    colleague: str = ""

    @property
    def key(self) -> str:
        """Tells this step from every other, so that a stale page takes nothing else back."""
        return f"{self.image.pk}:{self.review.pk if self.review else 'skip'}"


@dataclass(frozen=True)
class Screen:
    """Everything of one showing. ``image`` is None where nothing waits."""

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
    """Gather what is shown to ``member``. What is shown of the network's answer is remembered as seen.

    Args:
        conflict: what colleagues have said since the form was made that was sent.
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
    return Screen(image, common, details if hides else details | _what_is_known(image))


def _what_is_known(image: Image) -> dict[str, Any]:
    """What a blinded reader learns only after they have answered: network, colleagues, label."""
    known = photograph_of(image)
    prediction = known.prediction
    facts = quality_facts(
        verdict=image.verdict,
        measures=image.measures,
        width=image.width,
        height=image.height,
        overridden=hasattr(image, "override"),
    )
    return {
        "prediction": prediction,
        "view": present_prediction(
            prediction, facts=facts, case_context=known.case_context, is_warned=known.warns_of_danger
        )
        if prediction
        else None,
        "signs": known.signs_of_labels,
        "contradictions": known.contradictions,
        "reviews": image.reviews.select_related("reviewer__user", "retraction"),
        "label_changes": image.label_changes.select_related("review__reviewer__user"),
    }


def answer_button(answer: str) -> AnswerButton:
    return AnswerButton(
        answer=answer,
        name=str(_("Another diagnosis")) if answer == OTHER else answer_name(answer),
        note=malignancy_name(BY_CODE[answer]) if answer in BY_CODE else "",
        key=KEYS.get(answer) or str(CODES.index(answer) + 1),
    )


def is_blinded(request: HttpRequest, member: Member) -> bool:
    """The clinic's rule decides, or else the reader."""
    return member.clinic.review_rule == ReviewRule.TWO_BLINDED_READERS or bool(request.session.get(BLINDED))


def last_step(member: Member, *, is_blinded: bool = False) -> LastStep | None:
    """The reader's newest step if it can still be taken back. Only that one: what came before it stays.

    A blinded reader may be asked for the lesion's other photographs next, and is not told what they are; nor whether
    their answer settled anything, which a word of the report would give away.
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
        reports_that_say_otherwise(review.image),
        _contradicted(review),
        _not_agreed_with(review),
    )


def _not_agreed_with(review: Review) -> str:
    """Which colleagues have called it malignant, where the label is disputed and the review says otherwise."""
    is_disputed = ConfirmedLabel.objects.filter(image=review.image_id, state=LabelState.DISPUTED).exists()
    if not is_disputed or is_malignant_answer(review.answer):
        return ""
    others = Review.objects.newest_of_each_reader().filter(image=review.image_id, answer__in=MALIGNANT)
    others = others.exclude(reviewer=review.reviewer_id).select_related("reviewer__user")
    return ", ".join(f"{other.reviewer.name}: {other.answer_words}" for other in others.newest_first())


def _conflicting(review: Review) -> str:
    """What else the lesion's photographs are confirmed as, where their labels contradict each other."""
    own = Label(review.answer, review.other_text).name
    found = contradictions_of(Lesion.objects.filter(pk=review.image.lesion_id))
    return ", ".join(name for contradiction in found for name in contradiction.names if name != own)


def _contradicted(review: Review) -> str:
    """What the network says, if it is calm of what the reader calls malignant, or urgent of what they call benign."""
    photograph = photograph_of(review.image)
    if photograph.prediction is None:
        return ""
    contradicts = contradicts_tier(review.answer, photograph.prediction.shown_tier)
    return photograph.explained_class if contradicts else ""


def _initial(image: Image, member: Member, entry: QueueEntry | None) -> dict[str, Any]:
    """What the form begins with: what the reader has just taken back, or what is usual."""
    made_from = {"made_from": reviews_token(image=image, reader=member)}
    newest = image.reviews.filter(reviewer=member).select_related("retraction").newest_first().first()
    if newest is not None and newest.is_retracted and is_within(newest.created_at, RETRACTABLE_FOR):
        said = {name: getattr(newest, name) for name in ("certainty", "basis", "reason", "other_text")}
        return {**said, **made_from, "danger": danger_said(newest.answer)}
    return {"certainty": Certainty.CERTAIN, "basis": _usual_basis(entry), **made_from}


def _own_review(image: Image, member: Member) -> Review | None:
    return image.reviews.standing().filter(reviewer=member).newest_first().first()


def on_screen(image: Image, member: Member) -> dict[str, Any]:
    """The names of the colleagues who have the photograph before them at this moment."""
    return {"before_colleagues": others_before(image=image, member=member)}


def _usual_basis(entry: QueueEntry | None) -> str:
    return Basis.CONSENSUS if entry is not None and entry.needs == NEEDS_CONSENSUS else Basis.DERMATOSCOPY


def _done_today(member: Member) -> int:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Review.objects.standing().filter(reviewer=member, created_at__range=(midnight, latest()))
    # Counted here: asked for distinct photographs, SQLite walks through all reviews there are.
    return len(set(today.order_by().values_list("image_id", flat=True)))


def _age_at_visit(image: Image) -> int:
    born, then = image.visit.patient.birth_date, image.visit.date
    return max(0, then.year - born.year - ((then.month, then.day) < (born.month, born.day)))
