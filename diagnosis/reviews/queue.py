"""The review queue: which photographs wait for a dermatologist, in which order, and who has claimed them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
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
from patients.services.same_clinic import ensure_dermatologist_of

COUNTED_AT_MOST = 200


@dataclass(frozen=True)
class Offer:
    """The queue for one reader.

    Attributes:
        entry: the one claimed for them, or the one that they have open. None if nothing waits.
        following: the next one, unclaimed, so that the browser can preload its photograph.
        waiting: how many wait for them, counted up to ``COUNTED_AT_MOST``.
        lesions: how many lesions these are of; one that was photographed at two visits counts twice.
    """

    entry: QueueEntry | None
    following: QueueEntry | None
    waiting: int
    lesions: int


def offer_for(member: Member, *, shown: Image | None = None) -> Offer:
    """Return the reader's offer: claim the highest priority, unless ``shown`` is already open, and find the next.

    It is a single query, since a reader may have reviewed thousands of photographs that wait for a second reader.
    """
    entries = list(QueueEntry.objects.open_to(member).in_order().with_places()[:COUNTED_AT_MOST])
    free = [entry for entry in entries if entry.is_free_for(member)]
    if shown is None:
        entry = next((entry for entry in free if claim(entry, member)), None)
    else:
        entry = next((entry for entry in entries if entry.image_id == shown.pk), None)
    current = entry.image_id if entry else shown and shown.pk
    following = next((each for each in free if each.image_id != current), None)
    lesions = len({each.place for each in entries})
    return Offer(entry=entry, following=following, waiting=len(entries), lesions=lesions)


def claim(entry: QueueEntry, member: Member) -> bool:
    """Claim the photograph for some minutes; return False if a colleague was faster."""
    now = timezone.now()
    # A claim that lasts longer than possible was made before the clock was set back.
    expired = Q(claimed_until__lt=now) | Q(claimed_until__gt=now + CLAIMED_FOR + CLOCKS_APART)
    claimable = QueueEntry.objects.waiting().filter(
        expired | Q(claimed_until=None) | Q(claimed_by=member), pk=entry.pk
    )
    return claimable.update(claimed_by=member, claimed_until=now + CLAIMED_FOR) == 1


def skip(image: Image, member: Member) -> None:
    """Skip a photograph for ``member`` and release it to others."""
    ensure_dermatologist_of(image.visit.patient, member)
    with transaction.atomic():
        QueueSkip.objects.get_or_create(image=image, member=member)
        QueueEntry.objects.filter(image=image, claimed_by=member).update(claimed_by=None, claimed_until=None)


def bring_back(image: Image, member: Member) -> None:
    """Undo that ``member`` skipped a photograph. Safe to run again."""
    ensure_dermatologist_of(image.visit.patient, member)
    QueueSkip.objects.filter(image=image, member=member).delete()


def bring_back_skipped(member: Member) -> int:
    """Return all photographs that ``member`` skipped to their queue, and return the number."""
    deleted, _by_model = QueueSkip.objects.filter(member=member).delete()
    return deleted


def refresh_queue_entry(*, image: Image) -> QueueEntry:
    """Recalculate whether ``image`` waits, why and for which reader. Queue rows are written only here.

    Called after every change that may affect it, inside the same transaction.
    """
    with transaction.atomic():
        # Under the image's lock, all earlier reviews are visible.
        image = Image.objects.select_for_update(of=("self",)).select_related("visit__patient").get(pk=image.pk)
        reasons, needs, malignant_probability = _what_it_waits_for(image)
        entry = QueueEntry.objects.filter(image=image).first()
        if entry is None:
            entry = QueueEntry(image=image, clinic_id=image.visit.patient.clinic_id, entered_at=timezone.now())
        elif reasons and entry.state == QueueState.DONE:
            entry.entered_at, entry.entered_after = timezone.now(), newest_step()
        entry.state = QueueState.WAITING if reasons else QueueState.DONE
        entry.reasons = [str(reason) for reason in reasons]
        entry.reason = entry.reasons[0] if reasons else ""
        entry.needs = needs if reasons else 0
        entry.priority = priority_of(reasons, malignant_probability=malignant_probability)
        if not reasons:
            entry.claimed_by = entry.claimed_until = None
        entry.save()
        return entry


def refresh_queue_of_lesion(*, image: Image) -> None:
    """Refresh the queue entry of ``image``, and of its lesion's photographs with a contradictory label.

    Called when a label has changed or no longer counts, under the lock of the lesion's photographs.
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
class _Rows:
    """The rows of one image that its queue entry depends on, read once."""

    image: Image
    predictions: Sequence[Prediction]
    shown: Prediction | None
    reviews: Sequence[Review]
    label: ConfirmedLabel | None

    @property
    def answers(self) -> list[str]:
        """Each reader's newest answer, unless it is “cannot tell”."""
        return [review.answer for review in self._newest]

    @property
    def newest_step(self) -> int:
        """The step of the newest review; 0 without reviews."""
        return max((review.step for review in self.reviews), default=0)

    @property
    def do_readers_differ(self) -> bool:
        return len({diagnosis_of(review.answer, review.other_text) for review in self._newest}) > 1

    @property
    def _newest(self) -> list[Review]:
        newest = {review.reader_id: review for review in self.reviews}
        return [review for review in newest.values() if review.answer != CANNOT_TELL]

    @property
    def tier_changed(self) -> bool:
        """Whether the shown prediction's tier differs from the one before it, and no review has been added since.

        After a roll-back the earlier version's prediction is shown again, and later ones no longer count.
        """
        shown = self.shown
        before = [each for each in self.predictions if shown and each.step < shown.step]
        if shown is None or not before or before[0].shown_tier == shown.shown_tier:
            return False
        return not any(review.step > shown.step for review in self.reviews)


def _what_it_waits_for(image: Image) -> tuple[list[Reason], int, float]:
    """Return the reasons, the reader that is needed, and the malignant probability; no reasons if it is done."""
    if image.exclusions.standing().exists():
        return [], 0, 0.0
    rows = _Rows(
        image=image,
        predictions=list(image.predictions.newest_first()),
        shown=image.shown_prediction,
        reviews=list(image.reviews.standing().in_order()),
        label=ConfirmedLabel.objects.filter(image=image).first(),
    )
    prediction = rows.shown
    malignant_probability = prediction.malignant_probability if prediction else 0.0
    if rows.label is None or not rows.label.is_settled:
        reasons = reasons_for(_facts(rows, prediction), random_share=settings.REVIEW_RANDOM_SHARE)
        return reasons, _reader_needed(rows), malignant_probability
    reasons = [Reason.TIER_CHANGED] if rows.tier_changed else []
    needs = 1
    if awaits_another_look(rows.label, read_at=rows.newest_step):
        reasons, needs = [*reasons, Reason.LABELS_CONTRADICT], 2
    if rows.label.why == Why.NEWEST_OPINION and (second := _second_look(rows, prediction)):
        reasons, needs = [*reasons, second], 3 if second == Reason.READERS_DISAGREE else 2
    return by_weight(reasons), needs, malignant_probability


def _facts(rows: _Rows, prediction: Prediction | None) -> Facts:
    image = rows.image
    facts = Facts(
        image_id=image.pk,
        is_refused=not image.is_accepted,
        is_overridden=hasattr(image, "override"),
        is_outlier=_is_outlier(image),
        is_disputed=rows.label is not None and rows.label.state == LabelState.DISPUTED,
        answers=rows.answers,
    )
    if prediction is None:
        return facts
    return replace(
        facts,
        network_code=_named_class(prediction),
        tier=prediction.shown_tier,
        is_smartphone=image.reliability is Reliability.SMARTPHONE,
        malignant_probability=prediction.malignant_probability,
        set_size=_set_size(prediction),
        tier_changed=rows.tier_changed,
    )


def _set_size(prediction: Prediction) -> int:
    """Return the size of the prediction set; 0 if its version can no longer be loaded."""
    version = prediction.model_version
    if not can_serve(version):
        return 0
    return len(prediction_set(as_read_then(prediction, analyser_of(version)), prediction))


def _named_class(prediction: Prediction) -> str:
    """Return the class that explains the shown tier; empty if the answer is neither reliable nor urgent."""
    is_reliable = prediction.image.reliability is Reliability.CALIBRATED
    return prediction.explained_code if is_reliable or prediction.tier == Tier.URGENT else ""


def _is_outlier(image: Image) -> bool:
    """Return whether the image is unlike the release's reference data; False if the release has none."""
    threshold = getattr(get_analyser(), "outlier_threshold", None)
    score = image.measures.get("outlier")
    return threshold is not None and score is not None and score > threshold


def _reader_needed(rows: _Rows) -> int:
    if rows.label is None:
        return 1
    if rows.label.why == Why.NO_MAJORITY:
        return NEEDS_CONSENSUS
    return min(len(rows.label.readers) + 1, 3)


def _second_look(rows: _Rows, prediction: Prediction | None) -> Reason | None:
    """Return why a label settled by one opinion needs another review; None if no colleague is left to give it."""
    reason = None
    if rows.do_readers_differ:
        reason = Reason.READERS_DISAGREE
    elif prediction is not None and any(crosses_the_line(answer, _named_class(prediction)) for answer in rows.answers):
        reason = Reason.NETWORK_DISAGREES
    readers = {review.reader_id for review in rows.reviews}
    # If the network disagrees, one colleague reviews it too; if two readers differ, a third does. No more after that.
    if reason is None or len(readers) > (2 if reason == Reason.READERS_DISAGREE else 1):
        return None
    colleagues = Member.objects.filter(
        clinic=rows.image.visit.patient.clinic_id, role=Role.DERMATOLOGIST, user__is_active=True
    )
    return reason if colleagues.exclude(pk__in=readers).exists() else None


def refresh_clinic(clinic: Clinic, *, missing_only: bool = False) -> int:
    """Refresh every photograph of the clinic, or only those without a queue entry; return the number."""
    images = Image.objects.filter(visit__patient__clinic=clinic)
    if missing_only:
        images = images.filter(queue_entry__isnull=True)
    count = 0
    for key in images.order_by().values_list("pk", flat=True).iterator(chunk_size=2000):
        refresh_queue_entry(image=Image(pk=key))
        count += 1
    return count


def skipped_by(member: Member) -> int:
    """Return how many photographs that ``member`` skipped still wait. Counted from the skips: the queue is longer."""
    return QueueSkip.objects.filter(member=member, image__queue_entry__state=QueueState.WAITING).count()
