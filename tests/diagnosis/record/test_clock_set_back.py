"""A clock that is set back by an hour makes nothing old new again: what was said last counts."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.photographs import photograph_of
from diagnosis.images.models import Image, Prediction
from diagnosis.images.models.step import newest_step
from diagnosis.measures.models import PictureScale
from diagnosis.record.review_screen import last_step
from diagnosis.reports.measures_in_report import measures_in_report
from diagnosis.reviews.agreement import review_for_agreement
from diagnosis.reviews.models import QueueEntry, QueueSkip, Review
from diagnosis.reviews.queue import offer_for, refresh_queue_entry, skip
from diagnosis.reviews.services import record_review
from patients.models import ReviewRule, Role
from tests import factories
from tests.diagnosis.photographing import MEASURED
from tests.hooks import wording

WRONG = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def image(patient):
    return factories.ImageFactory(lesion__patient=patient)


@pytest.fixture
def set_back(monkeypatch):
    """Return a function that sets the clock back."""
    right = timezone.now

    def _set_back() -> None:
        monkeypatch.setattr(timezone, "now", lambda: right() - WRONG)

    return _set_back


def say(image, reader, answer="nv", certainty="certain", **facts) -> Review:
    return record_review(image=image, reviewer=reader, answer=answer, certainty=certainty, **facts)


@pytest.mark.parametrize("basis", ["dermatoscopy", "consensus", "histopathology"])
@pytest.mark.parametrize(("first", "second"), [("nv", "mel"), ("mel", "nv")])
def test_the_second_thought_is_the_label(image, dermatologist, set_back, first, second, basis, sign_in):
    say(image, dermatologist, first, basis=basis)
    set_back()
    say(image, dermatologist, second, basis=basis)
    image.refresh_from_db()
    assert image.label.answer == second
    page = sign_in(dermatologist).get(image.get_absolute_url())
    assert [review.answer for review in page.context["reviews"]] == [second, first], "the newest is listed first"


def test_who_changes_their_mind_among_blinded_readers_is_counted_with_the_newest(patient, dermatologist, set_back):
    clinic = patient.clinic
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])
    image = factories.ImageFactory(lesion__patient=patient)
    say(image, dermatologist, "nv", was_blinded=True)
    say(image, factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST), "mel", was_blinded=True)
    set_back()
    say(image, dermatologist, "mel", was_blinded=True)
    image.refresh_from_db()
    assert (image.label.state, image.label.answer) == ("settled", "mel")


@pytest.mark.parametrize(("first", "second", "suspected"), [("mel", "nv", ""), ("nv", "mel", "Melanoma")])
def test_a_suspicion_is_what_its_reader_said_last(image, dermatologist, set_back, first, second, suspected):
    factories.PredictionFactory(image=image)
    say(image, dermatologist, first, "unsure")
    set_back()
    say(image, dermatologist, second, "unsure")
    assert photograph_of(image).case_context.suspected == suspected


def test_the_newest_answer_is_shown(image, dermatologist, set_back, sign_in):
    factories.PredictionFactory(image=image)
    set_back()
    newer = factories.ModelVersionFactory(sha256="d" * 64, name="newer")
    urgent = factories.PredictionFactory(image=image, model_version=newer, code="mel", tier="urgent")
    assert image.shown_prediction == Prediction.objects.shown().get() == urgent
    assert Image.objects.with_shown_prediction().get().shown_prediction == urgent
    page = sign_in(dermatologist).get(image.get_absolute_url()).content.decode()
    assert wording("See a dermatologist within two weeks") in page


def test_a_changed_tier_waits_until_somebody_has_read_it(image, dermatologist, set_back):
    factories.PredictionFactory(image=image)
    refresh_queue_entry(image=image)
    say(image, dermatologist)
    set_back()
    newer = factories.ModelVersionFactory(sha256="d" * 64, name="newer")
    factories.PredictionFactory(image=image, model_version=newer, code="mel", tier="urgent")
    refresh_queue_entry(image=image)
    assert QueueEntry.objects.get().reasons == ["tier_changed"]
    entry = offer_for(dermatologist).entry
    assert entry is not None
    assert entry.image == image, "who read it before it came back is asked again"
    say(image, dermatologist)
    assert QueueEntry.objects.get().state == "done"


def test_the_last_step_is_the_last_one(patient, dermatologist, set_back):
    reviewed, skipped = factories.ImageFactory.create_batch(2, lesion__patient=patient)
    say(reviewed, dermatologist)
    set_back()
    skip(skipped, dermatologist)
    step = last_step(dermatologist)
    assert step is not None
    assert (step.image, step.review) == (skipped, None)
    again = say(reviewed, dermatologist, "mel")
    step = last_step(dermatologist)
    assert step is not None
    assert step.review == again


def test_a_review_from_a_time_that_has_not_come_is_not_taken_back(image, dermatologist, set_back, sign_in):
    review = say(image, dermatologist)
    set_back()
    assert last_step(dermatologist) is None
    sign_in(dermatologist).post(reverse("admin:review-undo"))
    assert Review.objects.standing().get() == review


def test_agreement_counts_what_each_said_last(image, dermatologist, set_back):
    colleague = factories.MemberFactory(clinic=dermatologist.clinic, role=Role.DERMATOLOGIST)
    say(image, dermatologist, "nv")
    say(image, colleague, "mel")
    set_back()
    say(image, dermatologist, "mel")
    found = review_for_agreement(reviews=Review.objects.all(), since=None)
    assert found.pairs[0].overall.observed == 1.0


def test_the_width_that_was_stated_last_counts(image, dermatologist, set_back):
    image.measurements.create(segmenter_sha256="a" * 64, values=MEASURED)
    PictureScale.objects.create(image=image, width_mm=20, member=dermatologist)
    set_back()
    PictureScale.objects.create(image=image, width_mm=10, member=dermatologist)
    assert "'stated_width_mm': 10.0" in str(measures_in_report(image))


def test_steps_are_of_one_order_whoever_makes_them(image, dermatologist):
    first = factories.PredictionFactory(image=image)
    second = say(image, dermatologist)
    third = QueueSkip.objects.create(image=image, member=dermatologist)
    assert 0 < first.step < second.step < third.step == newest_step()
    others = factories.ImageFactory.create_batch(3, lesion=image.lesion, visit=image.visit)
    made = Review.objects.bulk_create(
        Review(image=other, reviewer=dermatologist, answer="nv", certainty="certain") for other in others
    )
    assert all(review.step > third.step for review in made)


@pytest.mark.parametrize("step", [0, 999])
def test_no_review_changes_its_place(image, dermatologist, step):
    say(image, dermatologist)
    with pytest.raises(IntegrityError, match="review_is_append_only"), transaction.atomic():
        Review.objects.update(step=step)
