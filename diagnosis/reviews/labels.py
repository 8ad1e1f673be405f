"""Store the labels that reviews give photographs, and record every change with its reason."""

from typing import cast

from django.db import transaction
from django.utils import timezone

from diagnosis.images.models import Image
from diagnosis.images.models.step import newest_step
from diagnosis.reviews.answers import Cause, LabelState
from diagnosis.reviews.label_rules import LabelOutcome, settle
from diagnosis.reviews.models import ConfirmedLabel, LabelChange, Review
from diagnosis.reviews.queue import refresh_queue_entry, refresh_queue_of_lesion
from patients.models import Clinic


def derive_label(*, image: Image, cause: str, review: Review | None = None) -> ConfirmedLabel:
    """Recalculate the label of ``image`` from its reviews and the clinic's rule, and record a change.

    Labels are written only here. ``review`` is the one that was added or withdrawn; call this in its transaction.
    """
    with transaction.atomic():
        image = lock_image(image)
        rule = image.visit.patient.clinic.review_rule
        outcome = settle(reviews=image.reviews.standing(), rule=rule)
        label = ConfirmedLabel.objects.filter(image=image).first()
        before = (label.state, label.answer) if label else (LabelState.OPEN, "")
        words_before = label.review.other_text if label and label.review else ""
        label = label or ConfirmedLabel(image=image)
        is_change = before != (outcome.state, outcome.answer) or words_before != _words(outcome)
        _write(label, outcome, rule=rule, is_change=is_change)
        if before != (label.state, label.answer):
            _record_change(label, before, cause=cause, review=review)
        if is_change:
            refresh_queue_of_lesion(image=image)
        else:
            refresh_queue_entry(image=image)
        return label


def lock_image(image: Image) -> Image:
    """Return the image, read again under a lock, with its clinic, so that changes to its reviews are serialised.

    The lesion's other photographs are locked too, since labels may contradict each other. All are locked in the order
    of their keys to avoid deadlocks.
    """
    of_the_lesion = Image.objects.filter(lesion__images=image.pk).order_by("pk")
    locked = of_the_lesion.select_for_update(of=("self",)).select_related("visit__patient__clinic")
    return next(each for each in locked if each.pk == image.pk)


def _words(outcome: LabelOutcome) -> str:
    return outcome.review.other_text if outcome.review else ""


def _write(label: ConfirmedLabel, outcome: LabelOutcome, *, rule: str, is_change: bool) -> None:
    label.state, label.answer, label.why, label.rule = outcome.state, outcome.answer, outcome.why, rule
    label.review = cast("Review | None", outcome.review)
    label.basis = label.review.basis if label.review else ""
    label.readers = [str(review.reader_id) for review in outcome.counted]
    if outcome.state != LabelState.SETTLED:
        label.settled_at = None
    elif is_change or label.settled_at is None:
        label.settled_at, label.settled_after = timezone.now(), newest_step()
    label.save()


def _record_change(label: ConfirmedLabel, before: tuple[str, str], *, cause: str, review: Review | None) -> None:
    newest = LabelChange.objects.filter(image=label.image_id).order_by("-number").values_list("number", flat=True)
    LabelChange.objects.create(
        image=label.image,
        number=(newest.first() or 0) + 1,
        before_state=before[0],
        before_answer=before[1],
        after_state=label.state,
        after_answer=label.answer,
        cause=cause,
        why=label.why,
        review=review,
    )


def recalculate_labels(*, clinic: Clinic, every: bool = False) -> int:
    """Apply the clinic's rule to the labels that another rule gave, and return their number. Safe to run again.

    Args:
        every: recalculate all labels, since an upgrade may have changed the rules, and return the number that changed.
    """
    labels = ConfirmedLabel.objects.filter(image__visit__patient__clinic=clinic)
    if not every:
        labels = labels.exclude(rule=clinic.review_rule)
    before = {image: (state, answer) for image, state, answer in labels.values_list("image_id", "state", "answer")}
    recalculated = [derive_label(image=Image(pk=key), cause=Cause.RULE) for key in before]
    if not every:
        return len(recalculated)
    return sum((label.state, label.answer) != before[label.image_id] for label in recalculated)
