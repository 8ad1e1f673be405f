"""Blinded first, the default: what a reader sees before and after the answer, and what is recorded of it."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.reviews.models import Review, SeenAnswer
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import Clinic, Reading, ReviewRule, Role
from tests import factories
from tests.diagnosis.reporting import signed_report
from tests.hooks import codes

NEXT = "/admin/review/"
# What only the network, a colleague or a default could have put on the page.
GIVEN_AWAY = (
    "What it could be", "heat-map", "Urgent", "within two weeks", "finds it urgent", "So I think",
    "checked", "badge-urgent", "/similar/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def reader(sign_in, dermatologist):
    return sign_in(dermatologist)


def waiting(patient, *, code="mel", tier="urgent", **facts):
    image = factories.ImageFactory(lesion__patient=patient, **facts)
    factories.PredictionFactory(image=image, code=code, tier=tier)
    refresh_queue_entry(image=image)
    return image


@pytest.fixture
def urgent(patient):
    return waiting(patient)


def address(image) -> str:
    return reverse("admin:review-photograph", args=[image.pk])


def main_of(page) -> str:
    assert page.status_code == 200
    text = page.content.decode()
    return text[text.index("<main") : text.index("</main>")]


def answer(client, image, what, **facts):
    return client.post(address(image), {"answer": what, "certainty": "probable", **facts})


def test_it_is_the_default_and_known_to_the_database(clinic):
    assert clinic.reads_blinded
    with pytest.raises(IntegrityError, match="clinic_reading_is_known"), transaction.atomic():
        Clinic.objects.filter(pk=clinic.pk).update(reading="guess")
    clinic.reading = Reading.NETWORK_SHOWN
    assert not clinic.reads_blinded
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    assert clinic.reads_blinded


def test_before_the_answer_nothing_gives_the_network_away(reader, urgent, clinic):
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    record_review(image=urgent, reviewer=colleague, answer="bkl", certainty="unsure", reason="So I think.")
    for path in (NEXT, address(urgent)):
        text = main_of(reader.get(path))
        assert [sign for sign in GIVEN_AWAY if sign in text] == []
    assert not SeenAnswer.objects.exists()


def test_urgent_ones_come_first_without_saying_so(reader, patient):
    calm, urgent = waiting(patient, code="nv", tier="calm"), waiting(patient)
    page = reader.get(NEXT)
    assert page.context["image"] == urgent != calm
    assert "queue_reasons" not in codes(page.content.decode())


def test_after_the_answer_the_network_is_shown_and_a_second_review_is_marked(reader, dermatologist, urgent):
    response = answer(reader, urgent, "nv")
    assert response.url == address(urgent)
    text = main_of(reader.get(response.url))
    assert "What it could be" in text
    assert reverse("image-file", args=[urgent.pk, "heat-map"]) in text
    assert "network_disagrees" in codes(text)
    assert "Next photograph" in text
    answer(reader, urgent, "mel")
    first, second = Review.objects.in_order()
    seen = SeenAnswer.objects.get(image=urgent, member=dermatologist)
    assert (first.answer, first.was_blinded, first.answer_seen_at) == ("nv", True, None)
    assert (second.answer, second.was_blinded, second.answer_seen_at) == ("mel", False, seen.seen_at)
    assert "after_seeing_the_network" in codes(main_of(reader.get(address(urgent))))


def test_certainty_is_chosen_and_never_assumed(reader, urgent):
    page = reader.post(address(urgent), {"answer": "nv"})
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"certainty"}
    assert not Review.objects.exists()


def test_a_clinic_of_two_blinded_readers_goes_on_so_that_a_slip_can_be_taken_back(reader, urgent, clinic):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])
    assert answer(reader, urgent, "nv").url == NEXT
    reader.get(NEXT)
    assert not SeenAnswer.objects.exists()
    reader.post(reverse("admin:review-undo"))
    assert not Review.objects.standing().exists()


def test_a_clinic_may_show_the_network_and_the_reviews_say_so(reader, urgent, clinic):
    clinic.reading = Reading.NETWORK_SHOWN
    clinic.save(update_fields=["reading"])
    assert "What it could be" in main_of(reader.get(NEXT))
    assert answer(reader, urgent, "nv").url == NEXT
    review = Review.objects.get()
    assert not review.was_blinded
    assert review.answer_seen_at is not None


DOORS = {
    "the photograph's page": lambda image: image.get_absolute_url(),
    "its explanation": lambda image: reverse("image-explanation", args=[image.pk]),
    "its heat map": lambda image: reverse("image-file", args=[image.pk, "heat-map"]),
    "the visit": lambda image: image.visit.get_absolute_url(),
    "the lesion": lambda image: image.lesion.get_absolute_url(),
    "the signing page": lambda image: reverse("visit-sign", args=[image.visit_id]),
    "the admin's page": lambda image: reverse("admin:diagnosis_image_change", args=[image.pk]),
    "the admin's list": lambda image: reverse("admin:diagnosis_image_changelist"),
    "the admin's predictions": lambda image: reverse("admin:diagnosis_prediction_changelist"),
    "the admin's visit": lambda image: reverse("admin:patients_visit_change", args=[image.visit_id]),
    "the admin's lesion": lambda image: reverse("admin:patients_lesion_change", args=[image.lesion_id]),
    "the API": lambda image: reverse("api-similar", args=[image.pk]),
}


@pytest.mark.parametrize("door", DOORS)
def test_whoever_saw_the_answer_elsewhere_is_not_blinded(reader, dermatologist, urgent, door):
    assert reader.get(DOORS[door](urgent)).status_code in (200, 404)
    assert SeenAnswer.objects.filter(image=urgent, member=dermatologist).exists()
    text = main_of(reader.get(address(urgent)))
    assert "What it could be" in text
    answer(reader, urgent, "nv")
    review = Review.objects.get()
    assert (review.was_blinded, review.answer_seen_at is None) == (False, False)


def test_a_report_shows_it_too(reader, dermatologist, urgent):
    report = signed_report(urgent.visit, dermatologist)
    SeenAnswer.objects.all().delete()
    reader.get(reverse("report-json", args=[report.pk]))
    assert SeenAnswer.objects.filter(image=urgent).exists()


@pytest.mark.parametrize("path", ["/visits/", "/lesions/", "/admin/diagnosis/queueentry/", NEXT])
def test_lists_do_not_count_for_they_withhold_the_answer(reader, urgent, path):
    assert reader.get(path).status_code == 200
    assert not SeenAnswer.objects.exists()


def test_only_dermatologists_are_asked_what_they_saw(sign_in, staff, manager, urgent):
    for member in (staff, manager):
        sign_in(member).get(urgent.get_absolute_url())
    assert not SeenAnswer.objects.exists()


def test_a_review_on_the_photographs_page_is_not_blinded(reader, urgent):
    reader.get(urgent.get_absolute_url())
    reader.post(reverse("image-review", args=[urgent.pk]), {"answer": "mel", "certainty": "certain"})
    assert not Review.objects.get().was_blinded


def test_similar_cases_say_no_diagnosis_before_a_blinded_answer(reader, urgent):
    page = reader.get(reverse("image-similar", args=[urgent.pk]))
    assert page.context["hides_labels"]
    reader.get(urgent.get_absolute_url())
    assert not reader.get(reverse("image-similar", args=[urgent.pk])).context["hides_labels"]


def test_the_database_keeps_what_was_seen(dermatologist, urgent):
    seen = SeenAnswer.objects.create(image=urgent, member=dermatologist, seen_at=timezone.now())
    with pytest.raises(IntegrityError, match="seen_answer_is_append_only"), transaction.atomic():
        SeenAnswer.objects.filter(pk=seen.pk).update(seen_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        SeenAnswer.objects.create(image=urgent, member=dermatologist, seen_at=timezone.now())
    review = record_review(image=urgent, reviewer=dermatologist, answer="nv", certainty="certain")
    for change in ({"answer_seen_at": None}, {"was_blinded": True}):
        with pytest.raises(IntegrityError, match="review_is_append_only"), transaction.atomic():
            Review.objects.filter(pk=review.pk).update(**change)
    with pytest.raises(IntegrityError, match="blinded_review_precedes_the_answer"), transaction.atomic():
        Review.objects.create(
            image=urgent,
            reviewer=dermatologist,
            answer="nv",
            certainty="certain",
            was_blinded=True,
            answer_seen_at=timezone.now(),
        )
