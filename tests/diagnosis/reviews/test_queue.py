"""The review queue: what waits and why, for whom, and that two readers do not get in each other's way."""

import datetime
import uuid
from dataclasses import replace
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.images.models import Image, QualityOverride
from diagnosis.reviews.models import ConfirmedLabel, LabelChange, QueueEntry, QueueSkip, Reason
from diagnosis.reviews.models.queue import CLAIMED_FOR
from diagnosis.reviews.queue import bring_back_skipped, claim, offer_for, refresh_queue_entry, skip
from diagnosis.reviews.queue_reasons import WEIGHTS, Facts, is_in_random_share, priority_of, reasons_for
from diagnosis.reviews.services import record_review, retract_review
from patients.models import ReviewRule, Role
from tests import factories
from tests.diagnosis.photographing import kept, sample
from tests.diagnosis.reporting import signed_report

NOBODYS = Facts(image_id=uuid.UUID(int=1), network_code="nv", tier="calm", malignant_probability=0.01, set_size=1)


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def colleague(clinic):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


@pytest.fixture
def blinded(clinic):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])


def photograph(patient, *, code="nv", tier="calm", share=0.7, **facts) -> Image:
    """A row of a photograph with an answer, in the queue."""
    image = factories.ImageFactory(lesion__patient=patient, **facts)
    if tier:
        factories.PredictionFactory(image=image, code=code, tier=tier, share=share)
    refresh_queue_entry(image=image)
    return image


def say(image, reviewer, answer="nv", certainty="certain", **facts):
    return record_review(image=image, reviewer=reviewer, answer=answer, certainty=certainty, **facts)


def reasons(image) -> list[str]:
    return QueueEntry.objects.get(image=image).reasons


def offered(member) -> Image | None:
    entry = offer_for(member).entry
    return entry.image if entry else None


# --- Why -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_refused": True, "network_code": "", "tier": ""}, Reason.REFUSED),
        ({"is_refused": True, "is_overridden": True}, Reason.OVERRIDDEN),
        ({"tier": "urgent"}, Reason.URGENT),
        ({"tier": "watch", "network_code": "mel"}, Reason.MALIGNANT_SUSPICION),
        ({"network_code": "bcc"}, Reason.MALIGNANT_SUSPICION),
        ({"set_size": 3}, Reason.UNCERTAIN),
        ({"answers": ["mel"]}, Reason.NETWORK_DISAGREES),
        ({"is_disputed": True}, Reason.READERS_DISAGREE),
        ({"is_outlier": True}, Reason.DRIFT_OUTLIER),
        ({"tier_changed": True}, Reason.TIER_CHANGED),
        ({"answers": ["nv"], "set_size": 2}, Reason.NO_LABEL),
    ],
)
def test_each_reason_by_itself(facts, reason):
    assert reasons_for(replace(NOBODYS, **facts), random_share=0) == [reason]


def test_every_reason_has_a_weight_and_they_are_told_in_its_order():
    assert set(WEIGHTS) == set(Reason)
    everything = replace(NOBODYS, tier="urgent", set_size=4, is_outlier=True, is_disputed=True, answers=("mel",))
    found = reasons_for(everything, random_share=1)
    assert [WEIGHTS[reason] for reason in found] == sorted((WEIGHTS[reason] for reason in found), reverse=True)
    assert len(found) == 6


@given(more=st.sets(st.sampled_from(list(Reason))), mass=st.floats(0, 1), less=st.floats(0, 1))
def test_another_reason_or_more_suspicion_never_comes_later(more, mass, less):
    some = sorted(more)
    for left_out in some:
        fewer = [reason for reason in some if reason != left_out]
        assert priority_of(some, malignant_probability=mass) >= priority_of(fewer, malignant_probability=mass)
    smaller, larger = sorted((mass, less))
    assert priority_of(some, malignant_probability=larger) >= priority_of(some, malignant_probability=smaller)


def test_the_random_share_is_about_as_large_as_it_says_and_stays_the_same():
    keys = [uuid.UUID(int=number) for number in range(4000)]
    drawn = [is_in_random_share(key, share=0.05) for key in keys]
    assert 140 < sum(drawn) < 260
    assert drawn == [is_in_random_share(key, share=0.05) for key in keys]
    assert all(is_in_random_share(key, share=1) for key in keys[:100])
    # Whoever raises the share keeps those that were drawn.
    assert all(is_in_random_share(key, share=0.2) for key, was in zip(keys, drawn, strict=True) if was)


# --- What waits, in which order --------------------------------------------------------------------------------


def test_an_upload_waits_at_once(patient, staff, dermatologist):
    visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
    image = kept(visit, lesion, staff, sample(0))
    assert QueueEntry.objects.get().image == image
    assert offered(dermatologist) == image


def test_the_worthiest_first_and_of_equals_the_oldest(patient, dermatologist):
    calm, twin = photograph(patient), photograph(patient)
    refused = photograph(patient, tier="", verdict="blurred")
    watch, urgent = photograph(patient, code="bcc", tier="watch"), photograph(patient, code="mel", tier="urgent")
    overridden = photograph(patient, verdict="blurred")
    QualityOverride.objects.create(image=overridden, member=dermatologist, reason="Needed.")
    refresh_queue_entry(image=overridden)

    order = [entry.image for entry in QueueEntry.objects.open_to(dermatologist).in_order()]

    assert order == [urgent, overridden, refused, watch, calm, twin]
    assert reasons(calm) == [Reason.NO_LABEL]


def test_what_is_settled_is_done_and_comes_back_when_taken_back(patient, dermatologist):
    image = photograph(patient)
    review = say(image, dermatologist)
    assert (image.queue_entry.state, offered(dermatologist)) == ("done", None)
    retract_review(review=review, by=dermatologist)
    assert offered(dermatologist) == image


def test_what_one_was_unsure_of_waits_for_a_colleague(patient, dermatologist, colleague):
    image = photograph(patient)
    say(image, dermatologist, "mel", "unsure")
    assert offered(dermatologist) is None
    assert offered(colleague) == image
    assert reasons(image) == [Reason.NETWORK_DISAGREES]


def test_a_colleague_looks_where_reader_and_network_differ_about_danger(patient, dermatologist, colleague):
    image = photograph(patient, code="mel", tier="urgent")
    say(image, dermatologist, "nv")
    entry = QueueEntry.objects.get(image=image)
    assert (entry.state, entry.needs, entry.reasons) == ("waiting", 2, [Reason.NETWORK_DISAGREES])
    assert offered(dermatologist) is None
    assert offered(colleague) == image
    say(image, colleague, "nv")
    assert QueueEntry.objects.get(image=image).state == "done"


def test_readers_who_differ_are_for_a_third_if_there_is_one(patient, dermatologist, colleague, clinic):
    image = photograph(patient, code="mel", tier="urgent")
    say(image, dermatologist, "nv")
    say(image, colleague, "mel")
    assert QueueEntry.objects.get(image=image).state == "done", "there is nobody left to ask"
    third = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    refresh_queue_entry(image=image)
    assert reasons(image) == [Reason.READERS_DISAGREE]
    assert offered(third) == image
    say(image, third, "mel")
    assert QueueEntry.objects.get(image=image).state == "done"


def test_nobody_is_asked_twice_where_there_is_one_dermatologist(patient, dermatologist):
    image = photograph(patient, code="mel", tier="urgent")
    say(image, dermatologist, "nv")
    assert QueueEntry.objects.get(image=image).state == "done"


def test_two_blinded_readers_a_third_and_then_all_together(patient, dermatologist, colleague, clinic, blinded):
    image = photograph(patient)
    third = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    seen = []
    for reader, answer in ((dermatologist, "nv"), (colleague, "mel"), (third, "bkl")):
        assert offered(reader) == image
        seen.append(QueueEntry.objects.get(image=image).needs)
        say(image, reader, answer, was_blinded=True)
        QueueEntry.objects.update(claimed_by=None, claimed_until=None)
    entry = QueueEntry.objects.get(image=image)
    assert seen == [1, 2, 3]
    assert (entry.needs, entry.reason) == (4, Reason.READERS_DISAGREE)
    assert offered(dermatologist) == image, "a consensus is asked of those who have read it too"
    say(image, dermatologist, "mel", basis="consensus")
    assert QueueEntry.objects.get(image=image).state == "done"


def test_a_new_networks_other_tier_brings_a_settled_photograph_back(patient, dermatologist):
    image = photograph(patient)
    say(image, dermatologist)
    newer = factories.ModelVersionFactory(sha256="d" * 64, name="newer")
    factories.PredictionFactory(image=image, model_version=newer, code="mel", tier="urgent")
    refresh_queue_entry(image=image)
    assert reasons(image) == [Reason.TIER_CHANGED]
    assert offered(dermatologist) == image
    say(image, dermatologist)
    assert QueueEntry.objects.get(image=image).state == "done"


# --- For whom --------------------------------------------------------------------------------------------------


def test_two_readers_get_two_photographs(patient, dermatologist, colleague):
    first, second = photograph(patient), photograph(patient)
    assert [offered(dermatologist), offered(dermatologist), offered(colleague)] == [first, first, second]
    offer = offer_for(dermatologist, shown=first)
    assert (offer.entry, offer.waiting) == (first.queue_entry, 2)
    assert offer.following is None, "the other one is before a colleague"
    QueueEntry.objects.filter(image=first).update(claimed_until=timezone.now() - datetime.timedelta(seconds=1))
    assert offered(colleague) == first, "a claim ends by itself"


def test_who_is_quicker_has_it(patient, dermatologist, colleague):
    entry = photograph(patient).queue_entry
    assert claim(entry, dermatologist)
    assert not claim(entry, colleague)
    entry.refresh_from_db()
    assert entry.claimed_by == dermatologist
    assert entry.claimed_until is not None
    assert entry.claimed_until <= timezone.now() + CLAIMED_FOR


def test_a_claim_ends_where_the_clock_was_set_back(patient, dermatologist, colleague):
    entry = photograph(patient).queue_entry
    assert claim(entry, dermatologist)
    QueueEntry.objects.update(claimed_until=timezone.now() + datetime.timedelta(hours=1))
    entry.refresh_from_db()
    assert entry.is_free_for(colleague)
    assert claim(entry, colleague)


def test_skipped_photographs_come_back_when_asked_for(patient, dermatologist, colleague):
    first, second = photograph(patient), photograph(patient)
    assert offered(dermatologist) == first
    skip(first, dermatologist)
    assert (offered(dermatologist), offered(colleague)) == (second, first)
    assert offer_for(dermatologist).waiting == 1
    assert bring_back_skipped(dermatologist) == 1
    assert offer_for(dermatologist).waiting == 2


def test_another_clinic_has_a_queue_of_its_own(patient, dermatologist, stranger, staff):
    image = photograph(patient)
    assert offered(stranger) is None
    for member in (stranger, staff):
        with pytest.raises(PermissionDenied):
            skip(image, member)
    assert not QueueSkip.objects.exists()


# --- The command and the database ------------------------------------------------------------------------------


def test_the_command_fills_and_refreshes(patient, clinic, settings):
    images = [factories.ImageFactory(lesion__patient=patient) for _number in range(2)]
    call_command("refresh_queue", missing=True, verbosity=0)
    assert QueueEntry.objects.count() == len(images)
    settings.REVIEW_RANDOM_SHARE = 1
    said = StringIO()
    call_command("refresh_queue", missing=True, stdout=said)
    assert "0 photographs in the queue" in said.getvalue()
    assert reasons(images[0]) == [Reason.NO_LABEL]
    call_command("refresh_queue", clinic=clinic.name, verbosity=0)
    assert reasons(images[0]) == [Reason.RANDOM_SHARE]
    for unknown in ("Nowhere", ""):
        with pytest.raises(CommandError, match="no clinic called"):
            call_command("refresh_queue", clinic=unknown)


def test_the_command_derives_every_label_again_and_counts_what_changed(patient, clinic, dermatologist):
    image = factories.ImageFactory(lesion__patient=patient)
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    record_review(image=image, reviewer=colleague, answer="mel", certainty="certain")
    harmless = record_review(image=image, reviewer=dermatologist, answer="nv", certainty="certain")
    # As it was settled before a harmless answer ceased to replace a colleague's malignant one.
    ConfirmedLabel.objects.update(
        state="settled", answer="nv", basis="dermatoscopy", review=harmless, settled_at=timezone.now()
    )
    signed_report(image.visit, dermatologist)
    for count in (1, 0):
        said = StringIO()
        call_command("refresh_queue", every_label=True, stdout=said)
        assert f"{count} labels changed" in said.getvalue()
        assert "no longer valid, marked in the list of visits: 1." in said.getvalue()
        assert ConfirmedLabel.objects.get().state == "disputed"
    assert LabelChange.objects.filter(cause="rule", after_state="disputed").count() == 1


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "asleep"}, "queue_"),
        ({"needs": 0}, "queue_entry_waits_for_somebody_for_a_reason"),
        ({"needs": 5}, "queue_entry_waits_for_somebody_for_a_reason"),
        ({"reason": ""}, "queue_entry_waits_for_somebody_for_a_reason"),
        ({"state": "done"}, "queue_entry_waits_for_somebody_for_a_reason"),
        ({"claimed_until": timezone.now()}, "queue_claim_has_an_end"),
    ],
)
def test_no_entry_breaks_the_rules(patient, values, name):
    photograph(patient)
    with transaction.atomic(), pytest.raises(IntegrityError, match=name):
        QueueEntry.objects.update(**values)


def test_a_photograph_has_one_place_and_is_skipped_once(patient, dermatologist):
    image = photograph(patient)
    skip(image, dermatologist)
    skip(image, dermatologist)
    for again in (
        QueueSkip(image=image, member=dermatologist),
        QueueEntry(image=image, clinic=dermatologist.clinic, state="done", entered_at=timezone.now()),
    ):
        with transaction.atomic(), pytest.raises(IntegrityError):
            again.save(force_insert=True)


@pytest.mark.django_db
def test_an_urgent_entry_that_weighs_little_is_refused(dermatologist):
    image = factories.ImageFactory(lesion__patient__clinic=dermatologist.clinic)
    values = {"state": "waiting", "needs": 1, "reason": "urgent", "reasons": ["urgent"], "entered_at": timezone.now()}
    with pytest.raises(IntegrityError, match="urgent_queue_entry_weighs_enough"), transaction.atomic():
        QueueEntry.objects.create(image=image, clinic=dermatologist.clinic, priority=99, **values)
