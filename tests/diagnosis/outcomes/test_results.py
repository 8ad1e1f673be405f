"""A confirmed result sets labels by the clinic's rule, on the photographs that show what was examined."""

import datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from diagnosis.outcomes.closures import close_lesion, reopen_lesion
from diagnosis.outcomes.errors import (
    AlreadyConfirmed,
    AmendedSince,
    ChangedSince,
    LesionIsClosed,
    OutcomeNeedsReason,
    ReceivedTooEarly,
    ResultAwaited,
    SpecimenHasNumber,
    SpecimenHasResult,
    SpecimenIsWithdrawn,
    SpecimenNumberTaken,
)
from diagnosis.outcomes.models import ResultReview
from diagnosis.outcomes.pathology import confirm_result, label_further_photographs, withdraw_result
from diagnosis.outcomes.specimens import withdraw_specimen
from diagnosis.outcomes.states import outcome_of
from diagnosis.retraining.training_images import images_for_training
from diagnosis.reviews.answers import Basis, LabelState, Why
from diagnosis.reviews.models import ConfirmedLabel, QueueEntry, QueueState, Review
from diagnosis.reviews.services import record_review
from patients.models import Purpose, ReviewRule, Role
from tests import factories
from tests.diagnosis.outcomes.records import (
    add_photograph,
    answers_of,
    confirmed,
    days_ago,
    entered,
    photographed,
    sent,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(clinic):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


@pytest.mark.parametrize("rule", ReviewRule.values)
def test_a_confirmed_result_settles_the_label_under_every_rule(clinic, patient, dermatologist, rule):
    clinic.review_rule = rule
    clinic.save()
    factories.ConsentFactory(patient=patient, purpose=Purpose.TRAINING)
    lesion = photographed(patient, 20)
    confirmed(sent(lesion, dermatologist, number="H26-7"), dermatologist, "mel", reported_by="Dr Kerr")
    label = ConfirmedLabel.objects.get(image__lesion=lesion)
    assert (label.state, label.answer, label.basis) == (LabelState.SETTLED, "mel", Basis.HISTOPATHOLOGY)
    review = Review.objects.get()
    assert (review.reviewer, review.certainty) == (dermatologist, "certain")
    assert "H26-7" in review.reason
    assert "Dr Kerr" in review.reason
    (image,) = images_for_training(clinic)
    assert vars(image)["confirmed_code"] == "mel"


def test_a_result_outranks_opinions_and_the_queue_follows(patient, dermatologist, colleague):
    lesion = photographed(patient, 20)
    image = lesion.images.get()
    record_review(image=image, reviewer=colleague, answer="nv", certainty="certain")
    confirmed(sent(lesion, dermatologist), dermatologist, "mel")
    assert answers_of(lesion) == {20: "mel"}
    assert QueueEntry.objects.get(image=image).state == QueueState.DONE


def test_what_staff_enter_counts_for_nothing_until_a_dermatologist_confirms_it(patient, staff, dermatologist):
    lesion = photographed(patient, 20)
    result = entered(sent(lesion, staff), staff)
    assert answers_of(lesion) == {20: ""}
    assert outcome_of(lesion).words == "Result received · result to be confirmed"
    with pytest.raises(PermissionDenied):
        confirm_result(result=result, by=staff)
    assert len(confirm_result(result=result, by=dermatologist)) == 1
    assert answers_of(lesion) == {20: "mel"}
    with pytest.raises(AlreadyConfirmed):
        confirm_result(result=result, by=dermatologist)


def test_it_speaks_about_photographs_of_the_year_before_it_was_sent(patient, dermatologist):
    lesion = photographed(patient, 900, 374, 200, 10, 9)
    confirmed(sent(lesion, dermatologist, age=10), dermatologist)
    assert answers_of(lesion) == {900: "", 374: "mel", 200: "mel", 10: "mel", 9: ""}


def test_without_a_photograph_of_that_year_it_speaks_about_the_newest_visit(patient, dermatologist):
    lesion = photographed(patient, 900, 700)
    confirmed(sent(lesion, dermatologist, age=10), dermatologist)
    assert answers_of(lesion) == {900: "", 700: "mel"}


def test_excluded_photographs_get_no_label(patient, staff, dermatologist):
    from diagnosis.assessment.exclusions import exclude_image, undo_exclusion

    lesion = photographed(patient, 20)
    image = add_photograph(lesion, 15)
    exclude_image(image=image, by=staff, reason="other_lesion")
    result = confirmed(sent(lesion, dermatologist), dermatologist)
    assert answers_of(lesion) == {20: "mel", 15: ""}
    undo_exclusion(image=image, by=staff)
    assert len(label_further_photographs(result=result, by=dermatologist)) == 1
    assert answers_of(lesion) == {20: "mel", 15: "mel"}
    assert label_further_photographs(result=result, by=dermatologist) == []


def test_after_an_excision_a_photograph_shows_a_scar(patient, dermatologist):
    lesion = photographed(patient, 40)
    confirmed(sent(lesion, dermatologist, age=30, kind="excision"), dermatologist, "mel", margins="involved")
    add_photograph(lesion, 15)
    confirmed(sent(lesion, dermatologist, age=10, kind="excision"), dermatologist, "scar", margins="clear")
    assert answers_of(lesion) == {40: "mel", 15: ""}
    assert outcome_of(lesion).words == "Excised"


def test_an_excision_that_finds_nothing_left_does_not_take_back_the_melanoma(patient, dermatologist):
    lesion = photographed(patient, 40)
    confirmed(sent(lesion, dermatologist, age=30, kind="punch"), dermatologist, "mel")
    add_photograph(lesion, 20)
    confirmed(sent(lesion, dermatologist, age=10, kind="excision"), dermatologist, "scar")
    assert answers_of(lesion) == {40: "mel", 20: "scar"}


def test_a_more_dangerous_result_of_a_later_specimen_counts(patient, dermatologist):
    lesion = photographed(patient, 40)
    confirmed(sent(lesion, dermatologist, age=30, kind="punch"), dermatologist, "nv")
    confirmed(sent(lesion, dermatologist, age=10, kind="excision"), dermatologist, "mel")
    assert answers_of(lesion) == {40: "mel"}


def test_tissue_that_allows_no_diagnosis_labels_nothing(patient, dermatologist):
    lesion = photographed(patient, 20)
    confirmed(sent(lesion, dermatologist), dermatologist, "cannot_tell")
    assert answers_of(lesion) == {20: ""}


def test_an_amended_result_supersedes_once_it_is_confirmed(patient, dermatologist):
    lesion = photographed(patient, 20)
    specimen = sent(lesion, dermatologist)
    first = confirmed(specimen, dermatologist, "nv")
    with pytest.raises(OutcomeNeedsReason):
        entered(specimen, dermatologist, "mel")
    second = entered(specimen, dermatologist, "mel", reason="The laboratory amended its report.")
    assert answers_of(lesion) == {20: "nv"}
    assert outcome_of(lesion).specimens[0].counting == first
    with pytest.raises(AmendedSince):
        label_further_photographs(result=first, by=dermatologist)
    confirm_result(result=second, by=dermatologist)
    assert answers_of(lesion) == {20: "mel"}
    assert outcome_of(lesion).specimens[0].counting == second


def test_an_amended_result_that_names_less_danger_than_a_colleague_confirmed_is_disputed(
    patient, dermatologist, colleague
):
    """The clinic's rule: a colleague's histopathology is not overruled by one reader."""
    lesion = photographed(patient, 20)
    specimen = sent(lesion, dermatologist)
    confirmed(specimen, dermatologist, "mel")
    confirmed(specimen, colleague, "nv", reason="The slides had been mixed up.")
    label = ConfirmedLabel.objects.get(image__lesion=lesion)
    assert (label.state, label.why) == (LabelState.DISPUTED, Why.READERS_DIFFER)


def test_a_withdrawn_result_takes_its_reviews_with_it(patient, staff, dermatologist):
    lesion = photographed(patient, 20, 15)
    result = confirmed(sent(lesion, dermatologist), dermatologist)
    with pytest.raises(PermissionDenied):
        withdraw_result(result=result, by=staff, reason="It is another patient's.")
    withdraw_result(result=result, by=dermatologist, reason="It is another patient's.")
    assert answers_of(lesion) == {20: "", 15: ""}
    assert Review.objects.standing().count() == 0
    assert ResultReview.objects.count() == 2, "what was recorded stays on record"
    assert outcome_of(lesion).words == "Sent for biopsy, result awaited"
    again = entered(result.specimen, dermatologist, "nv")
    assert (again.number, bool(again.reason)) == (2, True)


def test_the_earlier_result_counts_again_if_the_amended_one_is_withdrawn(patient, dermatologist):
    lesion = photographed(patient, 20)
    specimen = sent(lesion, dermatologist)
    confirmed(specimen, dermatologist, "mel")
    second = confirmed(specimen, dermatologist, "nv", reason="Amended")
    assert answers_of(lesion) == {20: "nv"}
    withdraw_result(result=second, by=dermatologist, reason="It was of another patient.")
    assert answers_of(lesion) == {20: "mel"}


def test_states_follow_one_another(patient, staff, dermatologist):
    lesion = photographed(patient, 50)
    states = [outcome_of(lesion).state]
    biopsy = sent(lesion, staff, age=40)
    states.append(outcome_of(lesion).state)
    with pytest.raises(ResultAwaited):
        close_lesion(lesion=lesion, by=dermatologist, why="harmless")
    entered(biopsy, staff, "bcc")
    states.append(outcome_of(lesion).state)
    with pytest.raises(ResultAwaited):
        close_lesion(lesion=lesion, by=dermatologist, why="harmless")
    confirm_result(result=biopsy.results.get(), by=dermatologist)
    confirmed(sent(lesion, staff, age=9, kind="excision"), dermatologist, "bcc", margins="involved")
    states.append(outcome_of(lesion).state)
    assert outcome_of(lesion).words == "Excised · margins involved"
    close_lesion(lesion=lesion, by=dermatologist, why="excised")
    states.append(outcome_of(lesion).state)
    with pytest.raises(LesionIsClosed):
        sent(lesion, staff)
    with pytest.raises(PermissionDenied):
        reopen_lesion(lesion=lesion, by=staff, reason="It is back.")
    reopen_lesion(lesion=lesion, by=dermatologist, reason="It is back.")
    states.append(outcome_of(lesion).state)
    assert states == ["observed", "sent", "result", "excised", "closed", "excised"]


def test_a_number_that_is_known_later_is_added_once(patient, staff):
    specimen = sent(photographed(patient, 20), staff)
    from diagnosis.outcomes.pathology import Findings, enter_result

    findings = Findings(received_on=days_ago(0), answer="nv")
    enter_result(specimen=specimen, by=staff, findings=findings, number=" h26-12 ")
    specimen.refresh_from_db()
    assert (specimen.number, specimen.number_key) == ("h26-12", "h2612")
    with pytest.raises(SpecimenHasNumber):
        enter_result(specimen=specimen, by=staff, findings=findings, reason="Amended", number="H26-13")
    with pytest.raises(SpecimenNumberTaken):
        sent(photographed(patient, 20), staff, number="H26 12")


def test_mistakes_are_withdrawn_and_kept(patient, staff):
    lesion = photographed(patient, 20)
    specimen = sent(lesion, staff, number="H26-1")
    result = entered(specimen, staff)
    with pytest.raises(SpecimenHasResult):
        withdraw_specimen(specimen=specimen, by=staff, reason="It was of lesion 2.")
    withdraw_result(result=result, by=staff, reason="It was of lesion 2.")
    with pytest.raises(OutcomeNeedsReason):
        withdraw_specimen(specimen=specimen, by=staff, reason=" - ")
    withdraw_specimen(specimen=specimen, by=staff, reason="It was of lesion 2.")
    with pytest.raises(SpecimenIsWithdrawn):
        entered(specimen, staff)
    assert outcome_of(lesion).state == "observed"
    assert sent(lesion, staff, number="H26-1").number == "H26-1"


def test_nobody_acts_on_another_clinics_records(patient, stranger, staff, dermatologist):
    lesion = photographed(patient, 20)
    specimen = sent(lesion, staff)
    result = entered(specimen, staff)
    for action in (
        lambda: sent(lesion, stranger),
        lambda: sent(lesion, staff, sent_by=stranger),
        lambda: entered(specimen, stranger),
        lambda: confirm_result(result=result, by=stranger),
        lambda: withdraw_result(result=result, by=stranger, reason="It is not mine."),
        lambda: withdraw_specimen(specimen=specimen, by=stranger, reason="It is not mine."),
        lambda: close_lesion(lesion=lesion, by=stranger, why="gone"),
    ):
        with pytest.raises(PermissionDenied):
            action()
    assert answers_of(lesion) == {20: ""}


def test_a_result_is_not_received_before_the_specimen_was_sent(patient, staff):
    with pytest.raises(ReceivedTooEarly):
        entered(sent(photographed(patient, 20), staff, age=3), staff, received_on=days_ago(4))


def test_a_form_made_before_a_colleague_recorded_something_is_stale(patient, staff):
    lesion = photographed(patient, 20)
    made_from = outcome_of(lesion).token
    sent(lesion, staff, made_from=made_from)
    with pytest.raises(ChangedSince):
        sent(lesion, staff, made_from=made_from)


def test_the_day_on_which_it_was_taken_counts_and_an_overview_does_not(patient, dermatologist):
    lesion = photographed(patient, 20)
    add_photograph(lesion, 15, kind="overview")
    # Taken at home after the specimen was sent, and stored under an earlier visit; and the other way round.
    add_photograph(lesion, 14, taken_at=timezone.now() - datetime.timedelta(days=2))
    add_photograph(lesion, 3, taken_at=timezone.now() - datetime.timedelta(days=30))
    confirmed(sent(lesion, dermatologist, age=10), dermatologist)
    assert answers_of(lesion) == {20: "mel", 15: "", 14: "", 3: "mel"}
