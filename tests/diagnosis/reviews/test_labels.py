"""What reviews make of a label, through the services and the database."""

import datetime
import uuid
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.images.models import Image
from diagnosis.retraining.training_images import images_for_training
from diagnosis.reviews.answers import Basis, Cause, Why
from diagnosis.reviews.errors import NothingToRetract, OtherTextMissing, TooLateToRetract
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.labels import derive_label
from diagnosis.reviews.models import ConfirmedLabel, LabelChange, Review, ReviewRetraction
from diagnosis.reviews.services import record_review, retract_review
from patients.models import ConsentMethod, Decision, Purpose, ReviewRule, Role
from patients.services import record_consent
from tests import factories
from tests.page_forms import token_of

ONE, TWO = ReviewRule.ONE_READER, ReviewRule.TWO_BLINDED_READERS
READERS = [uuid.UUID(int=number) for number in range(4)]


@pytest.fixture
def image(patient) -> Image:
    return factories.ImageFactory(lesion__patient=patient)


@pytest.fixture
def colleagues(clinic):
    return factories.MemberFactory.create_batch(2, clinic=clinic, role=Role.DERMATOLOGIST)


def blinded_rule(clinic) -> None:
    clinic.review_rule = TWO
    clinic.save(update_fields=["review_rule"])


def answer(image, reviewer, what, **facts) -> Review:
    return record_review(image=image, reviewer=reviewer, answer=what, certainty="certain", **facts)


def label_of(image) -> tuple[str, str]:
    label = ConfirmedLabel.objects.get(image=image)
    return label.state, label.answer


def codes(image) -> tuple[str | None, str | None]:
    labelled: Any = with_confirmed_label(Image.objects.all()).get(pk=image.pk)
    return labelled.confirmed_code, labelled.confirmed_answer


def test_a_label_follows_its_reviews_and_every_change_is_explained(image, dermatologist):
    answer(image, dermatologist, "nv")
    answer(image, dermatologist, "nv")
    report = answer(image, dermatologist, "mel", basis=Basis.HISTOPATHOLOGY)
    answer(image, dermatologist, "bkl")

    assert label_of(image) == ("settled", "mel")
    changes = list(image.label_changes.order_by("number"))
    assert [(change.number, change.before_answer, change.after_answer, change.why) for change in changes] == [
        (1, "", "nv", Why.NEWEST_OPINION),
        (2, "nv", "mel", Why.HISTOPATHOLOGY),
    ]
    assert changes[1].review == report
    assert "Melanocytic nevus → Melanoma: histopathology outranks opinions." in changes[1].words
    assert ConfirmedLabel.objects.get(image=image).basis == Basis.HISTOPATHOLOGY


def test_only_the_seven_are_codes(image, dermatologist):
    answer(image, dermatologist, "other", other_text=" Clear cell acanthoma ")
    assert codes(image) == (None, "other")
    assert Review.objects.get().other_text == "Clear cell acanthoma"
    answer(image, dermatologist, "other", other_text=" squamous-cell Carcinoma")
    assert codes(image) == (None, "scc")
    assert Review.objects.latest("created_at").other_text == ""
    answer(image, dermatologist, "vasc", other_text="left over from before")
    assert codes(image) == ("vasc", "vasc")
    assert Review.objects.latest("created_at").other_text == ""


def test_something_else_says_what(image, dermatologist):
    with pytest.raises(OtherTextMissing):
        answer(image, dermatologist, "other", other_text="  ")
    assert not Review.objects.exists()


def test_two_blinded_readers_and_a_third(image, clinic, dermatologist, colleagues):
    blinded_rule(clinic)
    answer(image, dermatologist, "nv", was_blinded=True)
    assert label_of(image) == ("open", "")
    answer(image, colleagues[0], "mel", was_blinded=True)
    assert label_of(image) == ("disputed", "")
    answer(image, colleagues[1], "mel", was_blinded=True)
    assert label_of(image) == ("settled", "mel")
    assert ConfirmedLabel.objects.get(image=image).readers == [
        str(member.pk) for member in (dermatologist, *colleagues)
    ]


def test_a_review_is_taken_back_within_minutes_by_who_made_it(image, dermatologist, colleagues):
    answer(image, dermatologist, "nv")
    slip = answer(image, dermatologist, "mel")

    with pytest.raises(PermissionDenied):
        retract_review(review=slip, by=colleagues[0])
    retract_review(review=slip, by=dermatologist)
    with pytest.raises(NothingToRetract):
        retract_review(review=slip, by=dermatologist)

    assert label_of(image) == ("settled", "nv")
    assert image.label_changes.latest("number").cause == Cause.RETRACTION
    assert Review.objects.count() == 2, "what was taken back stays to be read"


def test_after_ten_minutes_a_review_stays(image, dermatologist):
    review = answer(image, dermatologist, "nv")
    Review.objects.filter(pk=review.pk).update(created_at=timezone.now() - datetime.timedelta(minutes=11))
    with pytest.raises(TooLateToRetract):
        retract_review(review=review, by=dermatologist)
    assert label_of(image) == ("settled", "nv")


def test_labels_follow_when_the_clinic_changes_its_rule(
    sign_in, manager, image, clinic, dermatologist, django_capture_on_commit_callbacks
):
    answer(image, dermatologist, "nv")
    form = {"name": clinic.name, "address": "", "phone": "", "review_rule": TWO, "reading": clinic.reading}
    client, url = sign_in(manager), reverse("admin:patients_clinic_change", args=[clinic.pk])
    form |= token_of(client, url)
    with django_capture_on_commit_callbacks(execute=True):
        asked = client.post(url, form)
    assert asked.context["adminform"].form.has_error("recalculates_labels", "recalculation_unconfirmed")
    assert label_of(image) == ("settled", "nv"), "a whole archive's labels are not lost by one slip"

    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {**form, "recalculates_labels": "on"})

    clinic.refresh_from_db()
    assert clinic.review_rule == TWO
    assert label_of(image) == ("open", "")
    assert image.label_changes.latest("number").cause == Cause.RULE
    assert image.queue_entry.state == "waiting"


# --- Consent ---------------------------------------------------------------------------------------------------


def consent(patient, decision) -> None:
    record_consent(
        patient=patient,
        by=patient.created_by,
        purpose=Purpose.TRAINING,
        decision=decision,
        method=ConsentMethod.SIGNED_FORM,
    )


def test_training_takes_what_is_settled_and_agreed_to_and_nothing_else(image, patient, clinic, dermatologist):
    sharer = factories.PatientFactory(clinic=clinic)
    factories.ConsentFactory(patient=sharer, purpose=Purpose.SHARING)
    for case in (image, factories.ImageFactory(lesion__patient=sharer)):
        answer(case, dermatologist, "nv")
    unsure, outside, _unlabelled, featureless = factories.ImageFactory.create_batch(4, lesion__patient=patient)
    record_review(image=unsure, reviewer=dermatologist, answer="mel", certainty="unsure")
    answer(outside, dermatologist, "not_a_lesion")
    answer(featureless, dermatologist, "nv")
    featureless.features.delete()

    assert list(images_for_training()) == []
    consent(patient, Decision.GIVEN)
    assert list(images_for_training()) == [image]
    assert list(images_for_training(clinic)) == [image]
    assert list(images_for_training(factories.ClinicFactory())) == []
    consent(patient, Decision.WITHDRAWN)
    assert list(images_for_training()) == []


# --- The database ----------------------------------------------------------------------------------------------


def refuses(name: str):
    """The database says no, by the name of the rule. SQLite does not say which unique constraint it was."""
    match = name if connection.vendor == "postgresql" or not name.endswith("unique") else "UNIQUE"
    return pytest.raises(IntegrityError, match=match)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"answer": "xx"}, "review_answer_is_known"),
        ({"answer": "other"}, "review_says_what_else_it_is"),
        ({"other_text": "text"}, "review_says_what_else_it_is"),
        ({"certainty": "maybe"}, "review_certainty_is_known"),
        ({"basis": "rumour"}, "review_basis_is_known"),
    ],
)
def test_no_review_breaks_the_rules(image, dermatologist, values, name):
    with transaction.atomic(), refuses(name):
        Review.objects.create(
            **{"image": image, "reviewer": dermatologist, "answer": "nv", "certainty": "certain", **values}
        )


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "whatever"}, "label_"),
        ({"state": "open"}, "label_has_an_answer_when_it_is_settled"),
        ({"answer": "xx"}, "label_answer_is_known"),
        ({"answer": ""}, "label_has_an_answer_when_it_is_settled"),
        ({"basis": "rumour"}, "label_basis_is_known"),
        ({"review": None}, "label_has_an_answer_when_it_is_settled"),
        ({"settled_at": None}, "label_has_an_answer_when_it_is_settled"),
        ({"rule": "majority"}, "label_rule_is_known"),
    ],
)
def test_no_label_breaks_the_rules(image, dermatologist, values, name):
    answer(image, dermatologist, "nv")
    with transaction.atomic(), refuses(name):
        ConfirmedLabel.objects.update(**values)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"number": 1}, "label_change_number_is_unique"),
        ({"number": 0}, "label_change_number_starts_at_one"),
        ({"after_state": "open", "after_answer": ""}, "label_change_changes_something"),
        ({"after_answer": "xx"}, "label_change_answers_are_known"),
        ({"cause": "boredom"}, "label_change_cause_is_known"),
        ({"why": "because"}, "label_change_why_is_known"),
    ],
)
def test_no_change_breaks_the_rules(image, dermatologist, values, name):
    answer(image, dermatologist, "nv")
    change = {"number": 2, "before_state": "open", "after_state": "settled", "after_answer": "nv"}
    with transaction.atomic(), refuses(name):
        LabelChange.objects.create(**{"image": image, "cause": "review", "why": "newest_opinion", **change, **values})


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Review, {"answer": "mel"}),
        (Review, {"reason": "On second thoughts"}),
        (Review, {"was_blinded": True}),
        (ReviewRetraction, {"review": None}),
        (LabelChange, {"why": "histopathology"}),
        (LabelChange, {"review": None}),
    ],
)
def test_history_cannot_be_written_anew(image, dermatologist, model, values):
    retract_review(review=answer(image, dermatologist, "nv"), by=dermatologist)
    with transaction.atomic(), pytest.raises(IntegrityError, match="is_append_only"):
        model.objects.update(**values)


def test_a_clinics_rule_is_known(clinic):
    with transaction.atomic(), refuses("clinic_review_rule_is_known"):
        type(clinic).objects.filter(pk=clinic.pk).update(review_rule="dice")


def test_a_review_is_taken_back_once(image, dermatologist):
    review = answer(image, dermatologist, "nv")
    retract_review(review=review, by=dermatologist)
    with transaction.atomic(), pytest.raises(IntegrityError):
        ReviewRetraction.objects.create(review=review)


def test_deriving_again_changes_nothing(image, dermatologist):
    answer(image, dermatologist, "nv")
    before = ConfirmedLabel.objects.values().get()
    derive_label(image=image, cause=Cause.RULE)
    assert ConfirmedLabel.objects.values().get() == before
    assert LabelChange.objects.count() == 1
