"""What reviews make of a label: the rules by themselves, then through the services and the database."""

import datetime
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.answers import (
    ANSWERS,
    CANNOT_TELL,
    Basis,
    Cause,
    Certainty,
    LabelState,
    Why,
    danger_rank,
    is_malignant_answer,
)
from diagnosis.labels import Settled, decides, settle
from diagnosis.models import ConfirmedLabel, Image, LabelChange, Review, ReviewRetraction
from diagnosis.services.errors import NothingToRetract, OtherTextMissing, TooLateToRetract
from diagnosis.services.labels import derive_label
from diagnosis.services.reviews import record_review, retract_review
from patients.models import ConsentMethod, Decision, Purpose, ReviewRule, Role
from patients.services import record_consent
from tests import factories
from tests.page_forms import token_of

ONE, TWO = ReviewRule.ONE_READER, ReviewRule.TWO_BLINDED_READERS
READERS = [uuid.UUID(int=number) for number in range(4)]


@dataclass(frozen=True)
class Opinion:
    reviewer_id: uuid.UUID
    answer: str
    other_text: str = ""
    certainty: str = Certainty.CERTAIN
    basis: str = Basis.DERMATOSCOPY
    was_blinded: bool = True
    step: int = 0
    pk: uuid.UUID = field(default_factory=uuid.uuid4)


def said(*answers: str, **facts) -> list[Opinion]:
    """One opinion of each of as many readers, one after the other."""
    return [Opinion(READERS[number], answer, step=number, **facts) for number, answer in enumerate(answers)]


opinions = st.lists(
    st.builds(
        Opinion,
        reviewer_id=st.sampled_from(READERS),
        answer=st.sampled_from(ANSWERS),
        certainty=st.sampled_from(Certainty.values),
        basis=st.sampled_from(Basis.values),
        was_blinded=st.booleans(),
        step=st.integers(0, 50),
        pk=st.uuids(),
    ),
    max_size=9,
    unique_by=lambda opinion: opinion.pk,
)
rules = st.sampled_from(ReviewRule.values)


def outcome(settled: Settled) -> tuple[str, str, str]:
    return settled.state, settled.answer, settled.why


# --- The rules by themselves -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "answers", "state", "answer", "why"),
    [
        (ONE, [], "open", "", Why.NOTHING_DECIDES),
        (ONE, ["nv"], "settled", "nv", Why.NEWEST_OPINION),
        (ONE, ["nv", "mel"], "settled", "mel", Why.NEWEST_OPINION),
        (TWO, [], "open", "", Why.NOTHING_DECIDES),
        (TWO, ["nv"], "open", "", Why.SECOND_MISSING),
        (TWO, ["nv", "nv"], "settled", "nv", Why.READERS_AGREE),
        (TWO, ["nv", "mel"], "disputed", "", Why.READERS_DIFFER),
        (TWO, ["nv", "mel", "mel"], "settled", "mel", Why.MOST_AGREE),
        (TWO, ["nv", "mel", "bkl"], "disputed", "", Why.NO_MAJORITY),
        (TWO, ["nv", "mel", "mel", "nv"], "disputed", "", Why.NO_MAJORITY),
        (TWO, ["nv", "mel", "bkl", "mel"], "disputed", "", Why.NO_MAJORITY),
    ],
)
def test_opinions_by_rule(rule, answers, state, answer, why):
    assert outcome(settle(reviews=said(*answers), rule=rule)) == (state, answer, why)


def test_one_reader_twice_is_one_reader():
    first, second = said("nv", "mel")
    again = replace(second, reviewer_id=first.reviewer_id)
    assert outcome(settle(reviews=[first, again], rule=TWO)) == ("open", "", Why.SECOND_MISSING)


def test_who_changes_their_mind_is_counted_once_with_the_newest():
    first, second = said("nv", "mel")
    later = replace(first, answer="mel", step=60, pk=uuid.uuid4())
    assert outcome(settle(reviews=[first, second, later], rule=TWO)) == ("settled", "mel", Why.READERS_AGREE)


@pytest.mark.parametrize("rule", ReviewRule.values)
@pytest.mark.parametrize(
    ("basis", "why"), [(Basis.HISTOPATHOLOGY, Why.HISTOPATHOLOGY), (Basis.CONSENSUS, Why.CONSENSUS)]
)
def test_what_outranks_opinions_does_so_whenever_it_was_said(rule, basis, why):
    stronger = Opinion(READERS[3], "bcc", basis=basis, was_blinded=False, step=-9)
    assert outcome(settle(reviews=[*said("nv", "nv", "nv"), stronger], rule=rule)) == ("settled", "bcc", why)


def test_histopathology_outranks_consensus():
    reviews = [*said("mel", basis=Basis.HISTOPATHOLOGY), *said("nv", "nv", basis=Basis.CONSENSUS)]
    assert outcome(settle(reviews=reviews, rule=TWO)) == ("settled", "mel", Why.HISTOPATHOLOGY)


def test_who_had_seen_the_networks_answer_is_no_blinded_reader():
    reviews = [*said("nv"), *said("mel", "nv", was_blinded=False)[1:]]
    assert settle(reviews=reviews, rule=TWO).why == Why.SECOND_MISSING


@given(reviews=opinions, rule=rules, shuffle=st.randoms())
def test_the_order_in_which_reviews_are_read_is_nothing(reviews, rule, shuffle):
    mixed = list(reviews)
    shuffle.shuffle(mixed)
    assert settle(reviews=mixed, rule=rule) == settle(reviews=reviews, rule=rule)


@given(reviews=opinions, rule=rules, more=opinions)
def test_what_does_not_decide_never_reassures_and_takes_no_danger_away(reviews, rule, more):
    noise = [opinion for opinion in more if not decides(opinion)]
    before, after = settle(reviews=reviews, rule=rule), settle(reviews=[*reviews, *noise], rule=rule)
    if is_malignant_answer(before.answer):
        assert outcome(after)[:2] == outcome(before)[:2]
    if after.answer and not is_malignant_answer(after.answer):
        assert before.answer
        assert not is_malignant_answer(before.answer)


@pytest.mark.parametrize("rule", [ONE, TWO])
@pytest.mark.parametrize(
    ("answer", "certainty", "state", "label"),
    [
        ("mel", "unsure", "open", ""),
        ("cannot_tell", "certain", "open", ""),
        ("nv", "unsure", "open", ""),
        ("bkl", "certain", "settled", "bkl"),
    ],
)
def test_who_becomes_unsure_of_something_harmless_takes_it_back(rule, answer, certainty, state, label):
    first, second = said("nv", "nv")
    reviews = [first] if rule == ONE else [first, second]
    newer = [replace(review, answer=answer, certainty=certainty, step=60, pk=uuid.uuid4()) for review in reviews]
    settled = settle(reviews=[*reviews, *newer], rule=rule)
    assert (settled.state, settled.answer) == (state, label)


@pytest.mark.parametrize(("answer", "state"), [("mel", "disputed"), ("cannot_tell", "settled"), ("df", "settled")])
@pytest.mark.parametrize("rule", [ONE, TWO])
def test_a_colleagues_later_suspicion_disputes_what_was_harmless(rule, answer, state):
    reviews = list(said("nv", "nv"))
    suspicion = replace(
        reviews[0], reviewer_id=uuid.uuid4(), answer=answer, certainty="unsure", step=60, pk=uuid.uuid4()
    )
    assert settle(reviews=[*reviews, suspicion], rule=rule).state == state
    earlier = replace(suspicion, step=-1)
    assert settle(reviews=[*reviews, earlier], rule=rule).state == state, "nor does deciding answer it for them"
    if answer == "mel":
        agrees = replace(earlier, answer="nv", certainty="certain", was_blinded=False, step=70, pk=uuid.uuid4())
        assert settle(reviews=[*reviews, earlier, agrees], rule=rule).state == "settled"
        together = replace(reviews[0], basis="consensus", step=71, pk=uuid.uuid4())
        assert settle(reviews=[*reviews, earlier, together], rule=rule).state == "disputed", "one alone has conferred"
        second = replace(together, reviewer_id=READERS[2], step=72, pk=uuid.uuid4())
        assert settle(reviews=[*reviews, earlier, together, second], rule=rule).state == "settled"
    proven = replace(reviews[0], basis="histopathology")
    assert settle(reviews=[*reviews, proven, suspicion], rule=rule).state == "settled"


def test_doubt_takes_no_danger_away():
    (first,) = said("bcc")
    newer = replace(first, answer="cannot_tell", step=60, pk=uuid.uuid4())
    assert outcome(settle(reviews=[first, newer], rule=ONE))[:2] == ("settled", "bcc")


@given(reviews=opinions, rule=rules)
def test_a_settled_answer_was_given_by_somebody_who_decides(reviews, rule):
    label = settle(reviews=reviews, rule=rule)
    assert (label.state == LabelState.SETTLED) == bool(label.answer) == bool(label.by)
    assert all(decides(review) and review.answer == label.answer for review in label.by)
    assert set(label.by) <= set(label.counted) <= set(reviews)
    assert label.answer != CANNOT_TELL


@given(reviews=opinions, rule=rules, report=st.sampled_from([answer for answer in ANSWERS if answer != CANNOT_TELL]))
def test_a_new_report_of_the_pathologist_settles_unless_it_takes_a_colleagues_danger_away(reviews, rule, report):
    newest = Opinion(READERS[0], report, basis=Basis.HISTOPATHOLOGY, step=90)
    findings = [each for each in reviews if decides(each) and each.basis == Basis.HISTOPATHOLOGY]
    by_colleagues = [each for each in findings if each.reviewer_id != newest.reviewer_id]
    held = {each.reviewer_id: each for each in sorted(by_colleagues, key=lambda each: (each.step, each.pk))}
    if not any(danger_rank(each.answer) > danger_rank(report) for each in held.values()):
        assert outcome(settle(reviews=[*reviews, newest], rule=rule)) == ("settled", report, Why.HISTOPATHOLOGY)
    else:
        assert settle(reviews=[*reviews, newest], rule=rule).state in {"disputed", "settled"}
        no_consensus = [each for each in reviews if each.basis != Basis.CONSENSUS]
        assert settle(reviews=[*no_consensus, newest], rule=rule).state == "disputed"


def test_two_findings_that_differ_about_danger_are_disputed_until_readers_confer():
    proven, other = said("mel", "nv", basis=Basis.HISTOPATHOLOGY)
    assert outcome(settle(reviews=[proven, other], rule=ONE)) == ("disputed", "", Why.READERS_DIFFER)
    assert settle(reviews=[proven, replace(other, reviewer_id=proven.reviewer_id)], rule=ONE).answer == "nv"
    agrees = replace(proven, answer="nv", step=5, pk=uuid.uuid4())
    assert settle(reviews=[proven, other, agrees], rule=ONE).answer == "nv"
    together = replace(other, answer="bcc", basis=Basis.CONSENSUS, step=6, pk=uuid.uuid4())
    assert outcome(settle(reviews=[proven, other, together], rule=ONE)) == ("settled", "bcc", Why.CONSENSUS)
    assert settle(reviews=[replace(together, step=-1), proven, other], rule=ONE).state == "disputed"
    harmless = replace(together, answer="nv")
    assert settle(reviews=[proven, other, harmless], rule=ONE).state == "disputed", "one alone takes no danger away"
    second = replace(harmless, reviewer_id=READERS[2], step=7, pk=uuid.uuid4())
    assert outcome(settle(reviews=[proven, other, harmless, second], rule=ONE)) == ("settled", "nv", Why.CONSENSUS)
    before, after = said("mel", "nv", basis=Basis.CONSENSUS)
    assert settle(reviews=[before, after], rule=ONE).state == "disputed"


@given(reviews=opinions)
def test_opinions_of_one_reader_never_settle_where_it_takes_two(reviews):
    alone = [replace(review, reviewer_id=READERS[0], basis=Basis.FOLLOW_UP) for review in reviews]
    assert settle(reviews=alone, rule=TWO).state == LabelState.OPEN


@given(reviews=opinions)
def test_where_one_reader_decides_only_a_word_of_danger_ever_disputes_what_is_harmless(reviews):
    label = settle(reviews=reviews, rule=ONE)
    if label.state == LabelState.DISPUTED:
        assert len({danger_rank(review.answer) for review in reviews}) > 1


@given(reviews=opinions)
def test_where_one_reader_decides_among_harmless_answers_nothing_is_disputed(reviews):
    harmless = [review for review in reviews if not danger_rank(review.answer)]
    assert settle(reviews=harmless, rule=ONE).state != LabelState.DISPUTED


@pytest.mark.parametrize("rule", [ONE, TWO])
@pytest.mark.parametrize("named", ["meltump", "other"])
@pytest.mark.parametrize("certainty", ["certain", "unsure"])
def test_what_may_be_malignant_is_not_taken_away_either(rule, named, certainty):
    doubt, *sure = said(named, "nv", "nv")
    doubt = replace(doubt, certainty=certainty, was_blinded=False)
    for reviews in ([doubt, *sure], [*sure, replace(doubt, step=9)]):
        assert settle(reviews=reviews, rule=rule).answer != "nv"
    worse = [replace(each, answer="mel") for each in sure]
    assert settle(reviews=[doubt, *worse], rule=rule).answer == "mel"


@pytest.mark.parametrize("certainty", ["certain", "unsure"])
def test_a_consensus_that_names_less_danger_takes_two_to_enter_it(certainty):
    melanoma, nevus = said("mel", "nv")
    melanoma, nevus = replace(melanoma, certainty=certainty), replace(nevus, basis=Basis.CONSENSUS)
    assert settle(reviews=[melanoma, nevus], rule=ONE).state == "disputed"
    again = replace(nevus, step=5, pk=uuid.uuid4())
    assert settle(reviews=[melanoma, nevus, again], rule=ONE).state == "disputed", "the same reader twice is one"
    for second in (replace(again, reviewer_id=READERS[2]), replace(again, reviewer_id=melanoma.reviewer_id)):
        assert outcome(settle(reviews=[melanoma, nevus, second], rule=ONE)) == ("settled", "nv", Why.CONSENSUS)


@pytest.mark.parametrize(("answer", "certainty"), [("nv", "unsure"), ("cannot_tell", "certain")])
def test_who_is_unsure_of_their_melanoma_has_not_agreed_to_a_consensus(answer, certainty):
    melanoma, nevus = said("mel", "nv")
    nevus = replace(nevus, basis=Basis.CONSENSUS)
    doubt = replace(melanoma, answer=answer, certainty=certainty, step=9, pk=uuid.uuid4())
    assert settle(reviews=[melanoma, nevus, doubt], rule=ONE).state == "disputed"
    agrees = replace(melanoma, answer="nv", step=10, pk=uuid.uuid4())
    assert settle(reviews=[melanoma, nevus, doubt, agrees], rule=ONE).answer == "nv"


@pytest.mark.parametrize("rule", [ONE, TWO])
def test_what_is_pre_malignant_takes_no_melanoma_away(rule):
    melanoma, *others = said("mel", "akiec", "akiec")
    melanoma = replace(melanoma, was_blinded=False)
    assert settle(reviews=[melanoma, *others], rule=rule).state == "disputed"


def test_what_is_harmless_settles_over_a_colleagues_melanoma_once_they_agree():
    first, second = said("mel", "nv")
    assert outcome(settle(reviews=[first, second], rule=ONE)) == ("disputed", "", Why.READERS_DIFFER)
    agreed = replace(first, answer="nv", step=60, pk=uuid.uuid4())
    assert outcome(settle(reviews=[first, second, agreed], rule=ONE)) == ("settled", "nv", Why.NEWEST_OPINION)


# --- Through the services --------------------------------------------------------------------------------------


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
    labelled: Any = Image.objects.with_confirmed_label().get(pk=image.pk)
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
    form = {"name": clinic.name, "address": "", "phone": "", "review_rule": TWO}
    client, url = sign_in(manager), reverse("admin:patients_clinic_change", args=[clinic.pk])
    form |= token_of(client, url)
    with django_capture_on_commit_callbacks(execute=True):
        asked = client.post(url, form).content.decode()
    assert "Tick this to change the rule" in asked
    assert label_of(image) == ("settled", "nv"), "a whole archive's labels are not lost by one slip"

    with django_capture_on_commit_callbacks(execute=True):
        client.post(url, {**form, "derives_anew": "on"})

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

    assert list(Image.objects.for_training()) == []
    consent(patient, Decision.GIVEN)
    assert list(Image.objects.for_training()) == [image]
    assert list(Image.objects.for_training(clinic)) == [image]
    assert list(Image.objects.for_training(factories.ClinicFactory())) == []
    consent(patient, Decision.WITHDRAWN)
    assert list(Image.objects.for_training()) == []


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
