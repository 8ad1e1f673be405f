"""The review queue: what waits for a dermatologist, in which order, and who has what before them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dermascan.core.clock import CLOCKS_APART
from diagnosis.images.clinic_analysers import as_read_then
from diagnosis.images.models import Image, Prediction, Tier
from diagnosis.images.models.step import newest_step
from diagnosis.images.prediction_sets import prediction_set
from diagnosis.reviews.answers import CANNOT_TELL, LabelState, Why
from diagnosis.reviews.contradictions import awaits_another_look, label_of, other_labels
from diagnosis.reviews.label_rules import diagnosis_of
from diagnosis.reviews.models import ConfirmedLabel, QueueEntry, QueueSkip, QueueState, Reason, Review
from diagnosis.reviews.models.queue import CLAIMED_FOR, NEEDS_CONSENSUS
from diagnosis.reviews.queue_reasons import Facts, by_weight, crosses_the_line, priority_of, reasons_for
from mlmodel.network.analyser import get_analyser
from mlmodel.network.quality import Reliability
from mlmodel.versions.serving import analyser_of, can_serve
from patients.models import Clinic, Member, Role

COUNTED_AT_MOST = 200


@dataclass(frozen=True)
class Offer:
    """What the queue has for one reader.

    Attributes:
        entry: what they have before them: claimed for them, or what they look at. None where nothing waits.
        following: what they will be asked next, unclaimed, for the browser to load its photograph ahead.
        waiting: how many wait for them, counted no further than ``COUNTED_AT_MOST``.
    """

    entry: QueueEntry | None
    following: QueueEntry | None
    waiting: int


def next_for(member: Member) -> QueueEntry | None:
    """Claim the photograph that is worth most and return its place in the queue; None where nothing waits."""
    return offer_for(member).entry


def offer_for(member: Member, *, shown: Image | None = None) -> Offer:
    """Claim what is worth most, unless ``shown`` is before the reader already, and look what comes after it.

    One walk along the queue answers all of it: whoever has read thousands of photographs that wait for a second reader
    has to be led past them.
    """
    entries = list(QueueEntry.objects.open_to(member).in_order()[:COUNTED_AT_MOST])
    free = [entry for entry in entries if entry.is_free_for(member)]
    if shown is None:
        entry = next((entry for entry in free if claim(entry, member)), None)
    else:
        entry = next((entry for entry in entries if entry.image_id == shown.pk), None)
    before_them = entry.image_id if entry else shown and shown.pk
    following = next((each for each in free if each.image_id != before_them), None)
    return Offer(entry=entry, following=following, waiting=len(entries))


def claim(entry: QueueEntry, member: Member) -> bool:
    """Keep the photograph from others for some minutes; False where somebody was quicker."""
    now = timezone.now()
    # A claim that lasts much longer than any was made before the clock was set back.
    over = Q(claimed_until__lt=now) | Q(claimed_until__gt=now + CLAIMED_FOR + CLOCKS_APART)
    mine = QueueEntry.objects.waiting().filter(over | Q(claimed_until=None) | Q(claimed_by=member), pk=entry.pk)
    return mine.update(claimed_by=member, claimed_until=now + CLAIMED_FOR) == 1


def skip(image: Image, member: Member) -> None:
    """Put a photograph aside for ``member``; others may have it at once."""
    _ensure_reader(image, member)
    with transaction.atomic():
        QueueSkip.objects.get_or_create(image=image, member=member)
        QueueEntry.objects.filter(image=image, claimed_by=member).update(claimed_by=None, claimed_until=None)


def bring_back(image: Image, member: Member) -> None:
    """Take back that ``member`` put a photograph aside. Safe to run again."""
    _ensure_reader(image, member)
    QueueSkip.objects.filter(image=image, member=member).delete()


def bring_back_skipped(member: Member) -> int:
    """Let the photographs that ``member`` put aside be asked for again; return how many there were."""
    deleted, _by_model = QueueSkip.objects.filter(member=member).delete()
    return deleted


def refresh_queue_entry(*, image: Image) -> QueueEntry:
    """Work out anew whether ``image`` waits, why and for whom. The only place that writes the queue's rows.

    Called after everything that bears on it, inside the same transaction.
    """
    with transaction.atomic():
        # Whoever holds the image's lock has seen everything that was said before.
        image = Image.objects.select_for_update(of=("self",)).select_related("visit__patient").get(pk=image.pk)
        reasons, needs, mass = _what_it_waits_for(image)
        entry = QueueEntry.objects.filter(image=image).first()
        if entry is None:
            entry = QueueEntry(image=image, clinic_id=image.visit.patient.clinic_id, entered_at=timezone.now())
        elif reasons and entry.state == QueueState.DONE:
            entry.entered_at, entry.entered_after = timezone.now(), newest_step()
        entry.state = QueueState.WAITING if reasons else QueueState.DONE
        entry.reasons = [str(reason) for reason in reasons]
        entry.reason = entry.reasons[0] if reasons else ""
        entry.needs = needs if reasons else 0
        entry.priority = priority_of(reasons, malignant_probability=mass)
        if not reasons:
            entry.claimed_by = entry.claimed_until = None
        entry.save()
        return entry


def refresh_queue_of_lesion(*, image: Image) -> None:
    """As ``refresh_queue_entry``, and of the lesion's other photographs those whose label contradicts this one's.

    Called where a label has changed or no longer counts, under the lock of the lesion's photographs.
    """
    refresh_queue_entry(image=image)
    is_in_use = not image.exclusions.standing().exists()
    own = ConfirmedLabel.objects.filter(image=image, state=LabelState.SETTLED).select_related("review").first()
    for other in other_labels(image).select_related("image__queue_entry"):
        entry = getattr(other.image, "queue_entry", None)
        was_waiting = entry is not None and Reason.LABELS_CONTRADICT in entry.reasons
        is_contradicted = own is not None and is_in_use and label_of(own).diagnosis != label_of(other).diagnosis
        if was_waiting or is_contradicted:
            refresh_queue_entry(image=other.image)


@dataclass(frozen=True)
class Known:
    """The rows that decide, read once."""

    image: Image
    predictions: Sequence[Prediction]
    shown: Prediction | None
    reviews: Sequence[Review]
    label: ConfirmedLabel | None

    @property
    def answers(self) -> list[str]:
        """Each reader's newest answer where it says what it is."""
        return [review.answer for review in self._newest]

    @property
    def newest_step(self) -> int:
        """That of the newest review; 0 where nobody has read it."""
        return max((review.step for review in self.reviews), default=0)

    @property
    def do_readers_differ(self) -> bool:
        return len({diagnosis_of(review.answer, review.other_text) for review in self._newest}) > 1

    @property
    def _newest(self) -> list[Review]:
        newest = {review.reviewer_id: review for review in self.reviews}
        return [review for review in newest.values() if review.answer != CANNOT_TELL]

    @property
    def tier_changed(self) -> bool:
        """Whether what is shown is of another tier than what was said before it, and nobody has read it since.

        After going back to an earlier version its own answer is shown again, and what came after it no longer counts.
        """
        shown = self.shown
        before = [each for each in self.predictions if shown and each.step < shown.step]
        if shown is None or not before or before[0].shown_tier == shown.shown_tier:
            return False
        return not any(review.step > shown.step for review in self.reviews)


def _what_it_waits_for(image: Image) -> tuple[list[Reason], int, float]:
    """The reasons, the reader that is asked for, and the malignant probability; no reasons where it is done."""
    if image.exclusions.standing().exists():
        return [], 0, 0.0
    known = Known(
        image=image,
        predictions=list(image.predictions.newest_first()),
        shown=image.shown_prediction,
        reviews=list(image.reviews.standing().in_order()),
        label=ConfirmedLabel.objects.filter(image=image).first(),
    )
    prediction = known.shown
    mass = prediction.malignant_probability if prediction else 0.0
    if known.label is None or not known.label.is_settled:
        facts = _facts(known, prediction)
        return reasons_for(facts, random_share=settings.REVIEW_RANDOM_SHARE), _reader_needed(known), mass
    reasons = [Reason.TIER_CHANGED] if known.tier_changed else []
    needs = 1
    if awaits_another_look(known.label, read_at=known.newest_step):
        reasons, needs = [*reasons, Reason.LABELS_CONTRADICT], 2
    if known.label.why == Why.NEWEST_OPINION and (second := _second_look(known, prediction)):
        reasons, needs = [*reasons, second], 3 if second == Reason.READERS_DISAGREE else 2
    return by_weight(reasons), needs, mass


def _facts(known: Known, prediction: Prediction | None) -> Facts:
    image = known.image
    of_any = Facts(
        image_id=image.pk,
        is_refused=not image.is_accepted,
        is_overridden=hasattr(image, "override"),
        is_outlier=_is_outlier(image),
        is_disputed=known.label is not None and known.label.state == LabelState.DISPUTED,
        answers=known.answers,
    )
    if prediction is None:
        return of_any
    return replace(
        of_any,
        network_code=_named_class(prediction),
        tier=prediction.shown_tier,
        is_smartphone=image.reliability is Reliability.SMARTPHONE,
        malignant_probability=prediction.malignant_probability,
        set_size=_set_size(prediction),
        tier_changed=known.tier_changed,
    )


def _set_size(prediction: Prediction) -> int:
    """How many classes the prediction set holds; 0 where nobody can say any more."""
    version = prediction.model_version
    if not can_serve(version):
        return 0
    return len(prediction_set(as_read_then(prediction, analyser_of(version)), prediction))


def _named_class(prediction: Prediction) -> str:
    """The class that explains the tier which is shown; empty where the answer names none and asks for no haste."""
    is_reliable = prediction.image.reliability is Reliability.CALIBRATED
    return prediction.explained_code if is_reliable or prediction.tier == Tier.URGENT else ""


def _is_outlier(image: Image) -> bool:
    """Only releases that come with a reference say what is unlike it."""
    threshold = getattr(get_analyser(), "outlier_threshold", None)
    score = image.measures.get("outlier")
    return threshold is not None and score is not None and score > threshold


def _reader_needed(known: Known) -> int:
    if known.label is None:
        return 1
    if known.label.why == Why.NO_MAJORITY:
        return NEEDS_CONSENSUS
    return min(len(known.label.readers) + 1, 3)


def _second_look(known: Known, prediction: Prediction | None) -> Reason | None:
    """Whether another look is wanted at what one opinion has settled: only while there is a colleague to take it."""
    reason = None
    if known.do_readers_differ:
        reason = Reason.READERS_DISAGREE
    elif prediction is not None and any(
        crosses_the_line(answer, _named_class(prediction)) for answer in known.answers
    ):
        reason = Reason.NETWORK_DISAGREES
    readers = {review.reviewer_id for review in known.reviews}
    # One colleague's look answers the network; two readers who differ are for a third. Then it is settled as it is.
    if reason is None or len(readers) > (2 if reason == Reason.READERS_DISAGREE else 1):
        return None
    colleagues = Member.objects.filter(
        clinic=known.image.visit.patient.clinic_id, role=Role.DERMATOLOGIST, user__is_active=True
    )
    return reason if colleagues.exclude(pk__in=readers).exists() else None


def refresh_clinic(clinic: Clinic, *, missing_only: bool = False) -> int:
    """Refresh every photograph of the clinic, or those that have no place in the queue yet; return how many."""
    images = Image.objects.filter(visit__patient__clinic=clinic)
    if missing_only:
        images = images.filter(queue_entry__isnull=True)
    count = 0
    for key in images.order_by().values_list("pk", flat=True).iterator(chunk_size=2000):
        refresh_queue_entry(image=Image(pk=key))
        count += 1
    return count


def skipped_by(member: Member) -> int:
    """How many photographs ``member`` has put aside that still wait. From the few skips on: the queue may be long."""
    return QueueSkip.objects.filter(member=member, image__queue_entry__state=QueueState.WAITING).count()


def _ensure_reader(image: Image, member: Member) -> None:
    if not member.is_dermatologist or member.clinic_id != image.visit.patient.clinic_id:
        raise PermissionDenied
