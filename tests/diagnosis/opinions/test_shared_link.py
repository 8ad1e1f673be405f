"""The link for a doctor outside the clinic: nothing without the code, and only what was shared, for a while."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.models import ExclusionReason
from diagnosis.opinions.links import signature_of
from diagnosis.opinions.models import MOST_WRONG_CODES, AccessKind, OpinionRequest
from diagnosis.opinions.services import OutsideDoctor, ask_for_opinion, give_new_code, revoke_request
from diagnosis.reviews.answers import LabelState
from diagnosis.reviews.models import ConfirmedLabel, Review
from diagnosis.reviews.services import record_review
from tests import factories

DOCTOR = OutsideDoctor("Dr Ines Prado", "prado@hospital.example", "City Hospital")
NOT_THE_CODE = "0000 0000"


@pytest.fixture
def images(patient):
    lesion = factories.LesionFactory(patient=patient, description="Below the old scar")
    visit = factories.VisitFactory(patient=patient)
    return [factories.ImageFactory(lesion=lesion, visit=visit) for _number in range(3)]


@pytest.fixture
def shared(images, dermatologist):
    """A request that shares two of three photographs, and its code."""
    return ask_for_opinion(
        lesion=images[0].lesion, by=dermatologist, of=DOCTOR, images=images[:2], question="Excise?", days=7
    )


def address(request, name="shared-opinion", *more) -> str:
    return reverse(name, args=[request.pk, signature_of(request), *more])


def opened(request, code) -> Client:
    client = Client()
    assert client.post(address(request), {"code": code}).status_code == 302
    return client


def kinds(request) -> list[str]:
    return list(request.accesses.order_by("pk").values_list("kind", flat=True))


def test_the_link_alone_shows_nothing(shared, images):
    request, _code = shared
    client = Client()
    page = client.get(address(request))
    assert page.status_code == 200
    assert "Excise?" not in page.content.decode()
    assert client.get(address(request, "shared-opinion-photograph", 1)).status_code == 404
    answer = client.post(address(request, "shared-opinion-answer"), {"answer": "nv", "certainty": "certain"})
    assert answer.status_code == 302
    assert not Review.objects.exists()
    assert kinds(request) == [AccessKind.LINK]


def test_with_the_code_it_shows_what_was_shared_and_nothing_else(shared, images, patient):
    request, code = shared
    client = opened(request, code)
    page = client.get(address(request))
    html = page.content.decode()
    assert "Excise?" in html
    assert page["Cache-Control"] == "no-store, private"
    assert page["Referrer-Policy"] == "same-origin"
    for secret in (
        patient.family_name,
        patient.given_name,
        patient.record_number,
        str(patient.birth_date.year),
        "old scar",
        str(images[0].pk),
        str(images[2].pk),
    ):
        assert secret not in html
    for number, status in ((1, 200), (2, 200), (3, 404), (0, 404)):
        answer = client.get(address(request, "shared-opinion-photograph", number))
        assert answer.status_code == status
        if status == 200:
            assert answer["Content-Type"] == "image/jpeg"
            assert answer["Cache-Control"] == "no-store, private"
            list(answer)
    assert client.get(reverse("image-file", args=[images[0].pk, "display"])).status_code == 302
    assert kinds(request) == [AccessKind.CODE, AccessKind.SHOWN]


def test_age_is_shared_as_a_decade_and_only_if_chosen(images, dermatologist, patient):
    request, code = ask_for_opinion(
        lesion=images[0].lesion,
        by=dermatologist,
        of=DOCTOR,
        images=images,
        question="Excise?",
        days=7,
        shares_age_and_sex=True,
    )
    decade = images[0].visit.age // 10 * 10
    assert f"{decade}–{decade + 9}" in opened(request, code).get(address(request)).content.decode()


def test_an_answer_is_a_review_with_its_origin_and_closes_the_link(shared, images, dermatologist):
    request, code = shared
    client = opened(request, code)
    form = {"answer": "mel", "certainty": "probable", "reason": "Blue-white veil. I would excise it."}
    assert client.post(address(request, "shared-opinion-answer"), {"answer": "mel"}).status_code == 422
    assert client.post(address(request, "shared-opinion-answer"), form).status_code == 302
    reviews = Review.objects.filter(second_opinion__request=request)
    assert {review.image_id for review in reviews} == {image.pk for image in images[:2]}
    assert {(review.reviewer, review.reader, review.answer) for review in reviews} == {
        (None, request.outside_reader, "mel")
    }
    request.refresh_from_db()
    assert request.answered_at
    after = client.get(address(request))
    assert after.status_code == 200
    assert "Excise?" not in after.content.decode()
    assert client.get(address(request, "shared-opinion-photograph", 1)).status_code == 404
    assert client.post(address(request, "shared-opinion-answer"), form).status_code == 200
    assert reviews.count() == 2
    assert kinds(request)[-1] == AccessKind.ANSWER


def test_more_danger_from_outside_disputes_a_label_and_less_changes_nothing(images, dermatologist):
    nevus, melanoma = images[:2]
    record_review(image=nevus, reviewer=dermatologist, answer="nv", certainty="certain")
    record_review(image=melanoma, reviewer=dermatologist, answer="mel", certainty="certain")
    for image, answer in ((nevus, "mel"), (melanoma, "nv")):
        request, code = ask_for_opinion(
            lesion=image.lesion, by=dermatologist, of=DOCTOR, images=[image], question="What is it?", days=7
        )
        client = opened(request, code)
        client.post(address(request, "shared-opinion-answer"), {"answer": answer, "certainty": "certain"})
    labels = {label.image_id: label for label in ConfirmedLabel.objects.all()}
    assert labels[nevus.pk].state == LabelState.DISPUTED
    assert (labels[melanoma.pk].state, labels[melanoma.pk].answer) == (LabelState.SETTLED, "mel")


def test_the_record_shows_who_answered(sign_in, shared, images, dermatologist):
    request, code = shared
    opened(request, code).post(
        address(request, "shared-opinion-answer"), {"answer": "bcc", "certainty": "certain", "reason": "Vessels"}
    )
    for page in (reverse("image", args=[images[0].pk]), reverse("opinion", args=[request.pk])):
        html = sign_in(dermatologist).get(page).content.decode()
        assert request.outside_reader.name in html
    admin = reverse("admin:diagnosis_image_change", args=[images[0].pk])
    assert request.outside_reader.name in sign_in(dermatologist).get(admin).content.decode()


def test_wrong_codes_lock_the_link_until_a_new_code_is_given(shared, dermatologist):
    request, code = shared
    client = Client()
    for _time in range(MOST_WRONG_CODES):
        assert client.post(address(request), {"code": NOT_THE_CODE}).status_code == 422
    assert client.post(address(request), {"code": code}).status_code == 422, "the right code comes too late"
    assert request.is_locked
    request, new = give_new_code(request=request, by=dermatologist)
    assert client.post(address(request), {"code": code}).status_code == 422, "the old code no longer counts"
    assert client.post(address(request), {"code": new}).status_code == 302


def test_a_new_code_ends_what_the_old_one_opened(shared, dermatologist):
    request, code = shared
    client = opened(request, code)
    give_new_code(request=request, by=dermatologist)
    assert client.get(address(request, "shared-opinion-photograph", 1)).status_code == 404


@pytest.mark.parametrize("code", ["", "x" * 41, "１２３４ ５６７８", "\0", "' OR 1=1 --", "12345678" * 4])
def test_codes_that_are_none_are_refused(shared, code):
    request, _code = shared
    assert Client().post(address(request), {"code": code}).status_code == 422


def test_the_code_may_be_typed_with_or_without_the_gap(shared):
    request, code = shared
    opened(request, code.replace(" ", ""))
    opened(request, code.replace(" ", "-"))


@pytest.mark.parametrize("close", ["revoke", "expire"])
def test_a_closed_request_shows_nothing_even_to_who_had_entered_the_code(shared, dermatologist, close, monkeypatch):
    request, code = shared
    client = opened(request, code)
    if close == "revoke":
        revoke_request(request=request, by=dermatologist)
    else:
        later = timezone.now() + timedelta(days=8)
        monkeypatch.setattr("diagnosis.opinions.models.timezone.now", lambda: later)
    assert client.get(address(request)).status_code == 410
    assert client.post(address(request), {"code": code}).status_code == 410
    assert client.get(address(request, "shared-opinion-photograph", 1)).status_code == 404
    typed = {"answer": "mel", "certainty": "certain", "reason": "Regression <b>throughout</b>"}
    answer = client.post(address(request, "shared-opinion-answer"), typed)
    assert answer.status_code == 410
    assert not Review.objects.exists()
    # Who has just written that it is a melanoma must not believe that the clinic reads it.
    assert answer.context["unsent"] == "Melanoma\nCertain\nRegression <b>throughout</b>"
    assert "&lt;b&gt;throughout" in answer.text
    assert "need not do anything" not in answer.text
    assert "unsent" not in client.get(address(request)).context


def test_a_link_with_another_signature_does_not_exist(shared):
    request, code = shared
    for signature in ("x", signature_of(request)[:-1], signature_of(request) + "x"):
        wrong = reverse("shared-opinion", args=[request.pk, signature])
        assert Client().get(wrong).status_code == 404
        assert Client().post(wrong, {"code": code}).status_code == 404


def test_a_request_to_a_colleague_has_no_link(images, dermatologist, clinic):
    colleague = factories.MemberFactory(clinic=clinic, role="dermatologist")
    request, code = ask_for_opinion(
        lesion=images[0].lesion, by=dermatologist, of=colleague, images=images, question="Excise?", days=7
    )
    assert code == ""
    assert Client().get(address(request)).status_code == 404


def test_a_photograph_that_is_excluded_since_is_not_shown(shared, images, dermatologist):
    request, code = shared
    exclude_image(image=images[0], by=dermatologist, reason=ExclusionReason.OTHER_PATIENT)
    client = opened(request, code)
    assert client.get(address(request, "shared-opinion-photograph", 1)).status_code == 404
    exclude_image(image=images[1], by=dermatologist, reason=ExclusionReason.OTHER_PATIENT)
    answer = client.post(address(request, "shared-opinion-answer"), {"answer": "nv", "certainty": "certain"})
    assert answer.status_code == 422
    assert not OpinionRequest.objects.get().answered_at
