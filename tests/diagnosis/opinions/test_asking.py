"""A dermatologist asks another doctor about a lesion: who may, what is shared, what the database refuses."""

import re
from datetime import timedelta

import pytest
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.models import ExclusionReason
from diagnosis.opinions.models import OpinionAccess, OpinionPhotograph, OpinionRequest, OpinionReview, OpinionState
from diagnosis.reviews.models import OutsideReader, Review
from patients.models import OutgoingMessage, Role
from tests import factories

QUESTION = "Would you excise it?"


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def images(lesion, patient):
    visit = factories.VisitFactory(patient=patient)
    return [factories.ImageFactory(lesion=lesion, visit=visit) for _number in range(2)]


@pytest.fixture
def colleague(clinic):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


def outside(images, **changes) -> dict:
    return {
        "whom": "outside",
        "full_name": "Dr Ines Prado",
        "institution": "City Hospital",
        "email": "prado@hospital.example",
        "photographs": [str(image.pk) for image in images],
        "question": QUESTION,
        "days": "7",
        **changes,
    }


def to_colleague(colleague, images, **changes) -> dict:
    return outside(images, whom="colleague", colleague=str(colleague.pk), full_name="", email="", **changes)


def ask(client, lesion, data):
    return client.post(reverse("opinion-ask", args=[lesion.pk]), data)


def code_on(page) -> str:
    (code,) = re.findall(r'class="code secret text-large">\s*(\d{4} \d{4})\s*<', page.content.decode())
    return code


def test_a_doctor_outside_is_asked_and_only_the_page_shows_the_code(sign_in, dermatologist, lesion, images, patient):
    page = ask(sign_in(dermatologist), lesion, outside(images))
    assert page.status_code == 201
    request = OpinionRequest.objects.get()
    assert OutsideReader.objects.get(requests=request).full_name == "Dr Ines Prado"
    assert [row.image_id for row in request.photographs.all()] == [image.pk for image in images]
    assert request.state is OpinionState.WAITING
    code = code_on(page)
    assert code not in request.code_hash
    again = sign_in(dermatologist).get(reverse("opinion", args=[request.pk]))
    assert code not in again.content.decode()
    (message,) = OutgoingMessage.objects.filter(about=request.pk)
    assert (message.address, message.body) == ("prado@hospital.example", "")


def test_the_letter_has_the_link_and_neither_code_nor_patient(
    sign_in, dermatologist, lesion, images, patient, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        page = ask(sign_in(dermatologist), lesion, outside(images))
    (mail,) = mailoutbox
    assert f"/shared/{OpinionRequest.objects.get().pk}/" in mail.body
    for secret in (code_on(page), patient.family_name, patient.record_number, QUESTION, lesion.place):
        assert secret not in mail.subject + mail.body


def test_the_same_form_sent_twice_asks_once_and_shows_the_same_code(sign_in, dermatologist, lesion, images):
    client, data = sign_in(dermatologist), outside(images, idempotency_key="a key of the form")
    first, second = (code_on(ask(client, lesion, data)) for _time in range(2))
    assert first == second
    assert OpinionRequest.objects.count() == 1


def test_a_doctor_who_was_asked_before_is_listed_once(sign_in, dermatologist, lesion, images):
    client = sign_in(dermatologist)
    for email in ("prado@hospital.example", "PRADO@hospital.example"):
        assert ask(client, lesion, outside(images, email=email)).status_code == 201
    assert OutsideReader.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"whom": ""}, "whom"),
        ({"full_name": " "}, "full_name"),
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email"),
        ({"photographs": []}, "photographs"),
        ({"photographs": ["not a key"]}, "photographs"),
        ({"question": "  "}, "question"),
        ({"question": "x" * 1001}, "question"),
        ({"days": "400"}, "days"),
        ({"days": "-1"}, "days"),
        ({"whom": "colleague", "colleague": ""}, "colleague"),
    ],
)
def test_a_form_that_cannot_be_sent_says_where(sign_in, dermatologist, lesion, images, changes, field):
    page = ask(sign_in(dermatologist), lesion, outside(images, **changes))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not OpinionRequest.objects.exists()
    assert not OutsideReader.objects.exists()


def test_photographs_of_other_lesions_and_excluded_ones_are_not_shared(sign_in, dermatologist, lesion, images):
    client = sign_in(dermatologist)
    other = factories.ImageFactory()
    assert ask(client, lesion, outside([other])).status_code == 422
    exclude_image(image=images[0], by=dermatologist, reason=ExclusionReason.OTHER_PATIENT)
    assert ask(client, lesion, outside(images)).status_code == 422
    assert ask(client, lesion, outside(images[1:])).status_code == 201


def test_only_dermatologists_of_the_clinic_can_be_asked(sign_in, dermatologist, colleague, stranger, lesion, images):
    client = sign_in(dermatologist)
    inactive = factories.MemberFactory(clinic=colleague.clinic, role=Role.DERMATOLOGIST, user__is_active=False)
    staff = factories.MemberFactory(clinic=colleague.clinic, role=Role.STAFF)
    for member in (stranger, dermatologist, inactive, staff):
        assert ask(client, lesion, to_colleague(member, images)).status_code == 422
    assert ask(client, lesion, to_colleague(colleague, images)).status_code == 302
    assert OpinionRequest.objects.get().colleague == colleague


def test_another_clinic_sees_nothing(sign_in, dermatologist, stranger, lesion, images):
    assert ask(sign_in(stranger), lesion, outside(images)).status_code == 404
    ask(sign_in(dermatologist), lesion, outside(images))
    request = OpinionRequest.objects.get()
    client = sign_in(stranger)
    assert client.get(reverse("opinion", args=[request.pk])).status_code == 404
    for name in ("opinion-answer", "opinion-revoke", "opinion-new-code"):
        assert client.post(reverse(name, args=[request.pk])).status_code == 404
    assert str(request.pk) not in client.get(reverse("opinions")).content.decode()


def test_the_colleague_answers_and_the_asker_sees_it_once(sign_in, dermatologist, colleague, lesion, images):
    ask(sign_in(dermatologist), lesion, to_colleague(colleague, images))
    request = OpinionRequest.objects.get()
    client, asker = sign_in(colleague), sign_in(dermatologist)
    assert list(client.get(reverse("opinions")).context["waiting"]) == [request]
    address = reverse("opinion-answer", args=[request.pk])
    assert asker.post(address, {"answer": "bcc", "certainty": "certain"}).status_code == 403
    assert client.post(address, {"answer": "bcc"}).status_code == 422
    assert client.post(address, {"answer": "bcc", "certainty": "certain", "reason": "Vessels."}).status_code == 302
    reviews = Review.objects.filter(second_opinion__request=request)
    assert {review.image_id for review in reviews} == {image.pk for image in images}
    assert {(review.reviewer, review.answer) for review in reviews} == {(colleague, "bcc")}
    assert list(asker.get(reverse("opinions")).context["unread"]) == [request]
    asker.get(reverse("opinion", args=[request.pk]))
    assert not asker.get(reverse("opinions")).context["unread"]
    late = client.post(address, {"answer": "mel", "certainty": "certain", "reason": "On second thoughts."})
    assert (late.status_code, late.context["unsent"]) == (422, "Melanoma\nCertain\nOn second thoughts.")
    assert reviews.count() == len(images), "it can be answered once"


def test_a_request_that_expired_is_listed_until_it_is_asked_again(sign_in, dermatologist, colleague, lesion, images):
    client = sign_in(dermatologist)
    created = timezone.now() - timedelta(days=9)
    old = OpinionRequest.objects.create(
        lesion=lesion,
        asked_by=dermatologist,
        colleague=colleague,
        question=QUESTION,
        created_at=created,
        expires_at=created + timedelta(days=7),
    )
    assert list(client.get(reverse("opinions")).context["unanswered"]) == [old]
    ask(client, lesion, to_colleague(colleague, images))
    assert not client.get(reverse("opinions")).context["unanswered"]


def test_the_lesion_says_who_was_asked(sign_in, dermatologist, staff, colleague, lesion, images):
    ask(sign_in(dermatologist), lesion, to_colleague(colleague, images))
    for member in (dermatologist, staff):
        page = sign_in(member).get(reverse("lesion", args=[lesion.pk])).content.decode()
        assert colleague.name in page
        assert (reverse("opinion-ask", args=[lesion.pk]) in page) is member.is_dermatologist


@pytest.fixture
def asked(sign_in, dermatologist, lesion, images):
    ask(sign_in(dermatologist), lesion, outside(images))
    return OpinionRequest.objects.get()


@pytest.mark.parametrize(
    "values",
    [
        {"question": "Another?"},
        {"shares_age_and_sex": True},
        {"expires_at": timezone.now() + timedelta(days=300)},
        {"code_hash": ""},
        {"code_number": 0},
        {"seen_at": timezone.now()},
        {"revoked_at": timezone.now()},
    ],
)
def test_the_database_keeps_what_was_asked(asked, values):
    with pytest.raises(Error), transaction.atomic():
        OpinionRequest.objects.filter(pk=asked.pk).update(**values)


def test_the_database_wants_one_doctor_who_is_not_the_asker(asked, dermatologist, colleague):
    asked.pk, asked.code_hash, asked.code_number = None, "", 0
    for of in (
        {"colleague": None, "outside_reader": None},
        {"colleague": colleague, "outside_reader": asked.outside_reader},
        {"colleague": dermatologist, "outside_reader": None},
    ):
        for name, value in of.items():
            setattr(asked, name, value)
        with pytest.raises(Error), transaction.atomic():
            asked.save(force_insert=True)


def test_photographs_accesses_and_origins_are_append_only(asked, images, dermatologist):
    access = OpinionAccess.objects.create(request=asked, kind="link", code_number=1, network="192.0.2.1")
    review = Review.objects.create(image=images[0], reviewer=dermatologist, answer="nv", certainty="certain")
    origin = OpinionReview.objects.create(request=asked, review=review)
    for row, values in (
        (asked.photographs.first(), {"number": 9}),
        (access, {"network": "192.0.2.2"}),
        (origin, {"request": None}),
        (asked.outside_reader, {"email": "else@hospital.example"}),
    ):
        with pytest.raises(Error), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(**values)
    for number, image in ((1, factories.ImageFactory()), (3, images[0]), (0, factories.ImageFactory())):
        with pytest.raises(Error), transaction.atomic():
            OpinionPhotograph.objects.create(request=asked, image=image, number=number)


@pytest.mark.parametrize(
    "values",
    [
        {"reviewer": None},
        {"outside": True},
        {"reviewer": None, "outside": True, "basis": "histopathology"},
        {"reviewer": None, "outside": True, "was_blinded": True},
    ],
)
def test_the_database_refuses_reviews_of_nobody_and_findings_from_outside(asked, images, dermatologist, values):
    row = {"image": images[0], "reviewer": dermatologist, "answer": "nv", "certainty": "certain", **values}
    if row.pop("outside", False):
        row["outside_reader"] = asked.outside_reader
    with pytest.raises(Error), transaction.atomic():
        Review.objects.create(**row)
