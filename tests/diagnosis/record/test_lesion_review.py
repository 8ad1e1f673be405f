"""Review by lesion: one answer for its photographs of a visit, and what is to be done with it."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.reviews.errors import MonthsMissing
from diagnosis.reviews.lesion_queue import offer_lesion
from diagnosis.reviews.management import (
    management_decided,
    management_withdrawn,
    newest_decision,
    record_management_decision,
)
from diagnosis.reviews.models import ConfirmedLabel, ManagementDecision, QueueEntry, Review, ReviewGroup, SeenAnswer
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import Reading, Role
from tests import factories
from tests.hooks import codes

NEXT = "/admin/review/lesions/"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def reader(sign_in, dermatologist):
    return sign_in(dermatologist)


def photographed(patient, *tiers, lesion=None, visit=None):
    lesion = lesion or factories.LesionFactory(patient=patient)
    visit = visit or factories.VisitFactory(patient=patient)
    images = []
    for tier in tiers:
        image = factories.ImageFactory(lesion=lesion, visit=visit)
        factories.PredictionFactory(image=image, code="mel" if tier == "urgent" else "nv", tier=tier)
        refresh_queue_entry(image=image)
        images.append(image)
    return images


@pytest.fixture
def three(patient):
    return photographed(patient, "calm", "urgent", "calm")


def address(image, action="") -> str:
    return reverse(f"admin:review-lesion{action}", args=[image.visit_id, image.lesion_id])


def answer(client, images, what="nv", **facts):
    sent = {"answer": what, "certainty": "probable", "photographs": [str(image.pk) for image in images], **facts}
    return client.post(address(images[0]), sent)


def test_one_answer_is_a_review_of_each_photograph_with_the_decision(reader, dermatologist, three):
    response = answer(reader, three, "mel", decision="excise", reason="Veil.")
    assert response.url == address(three[0])
    group = ReviewGroup.objects.get()
    assert (group.lesion, group.visit, group.reviewer) == (three[0].lesion, three[0].visit, dermatologist)
    reviews = list(Review.objects.filter(group=group))
    assert {review.image for review in reviews} == set(three)
    assert {(each.answer, each.certainty, each.reason, each.was_blinded) for each in reviews} == {
        ("mel", "probable", "Veil.", True)
    }
    decision = ManagementDecision.objects.get()
    assert (decision.lesion, decision.group, decision.decision, decision.months, decision.member) == (
        three[0].lesion, group, "excise", None, dermatologist,
    )  # fmt: skip
    assert set(ConfirmedLabel.objects.values_list("image", "answer")) == {(image.pk, "mel") for image in three}
    assert not QueueEntry.objects.waiting().exists()


def test_blinded_before_and_shown_after(reader, three):
    before = reader.get(NEXT).content.decode()
    for sign in ("What it could be", "/heat-map/", "finds it urgent", "badge-urgent"):
        assert sign not in before
    assert not SeenAnswer.objects.exists()
    after = reader.get(answer(reader, three).url)
    assert "What it could be" in after.content.decode()
    assert after.context["leading"].image == three[1], "the most pressing answer, not that of the first photograph"
    assert SeenAnswer.objects.count() == 3
    answer(reader, three, "bkl")
    assert list(Review.objects.in_order().values_list("was_blinded", flat=True)) == [True] * 3 + [False] * 3


def test_having_seen_one_photograph_is_having_seen_the_lesion(reader, three):
    reader.get(reverse("image-file", args=[three[2].pk, "heat-map"]))
    answer(reader, three)
    assert not Review.objects.filter(was_blinded=True).exists()
    assert not Review.objects.filter(answer_seen_at=None).exists()


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"photographs": []}, "photographs"),
        ({"photographs": ["00000000-0000-0000-0000-000000000000"]}, "photographs"),
        ({"photographs": ["<script>"]}, "photographs"),
        ({"certainty": ""}, "certainty"),
        ({"answer": "mel"}, "decision"),
        ({"answer": "meltump"}, "decision"),
        ({"decision": "amputate"}, "decision"),
        ({"decision": "follow"}, "months"),
        ({"decision": "follow", "months": "0"}, "months"),
        ({"decision": "follow", "months": "61"}, "months"),
        ({"decision": "follow", "months": "soon"}, "months"),
    ],
)
def test_what_cannot_be_recorded_is_said_and_nothing_is_half_written(reader, three, sent, wrong):
    data = {"answer": "nv", "certainty": "certain", "photographs": [str(each.pk) for each in three], **sent}
    page = reader.post(address(three[0]), data)
    assert page.status_code == 422
    assert wrong in page.context["form"].errors
    assert page.context["form"].errors[wrong][0] in page.context["form"][wrong].errors
    assert not any(model.objects.exists() for model in (Review, ReviewGroup, ManagementDecision))


def test_a_follow_up_has_months_and_other_decisions_none(reader, three):
    answer(reader, three, decision="follow", months="6")
    answer(reader, three, decision="discharge", months="6")
    assert list(ManagementDecision.objects.order_by("pk").values_list("decision", "months")) == [
        ("follow", 6),
        ("discharge", None),
    ]
    newest = newest_decision(three[0].lesion)
    assert newest is not None
    assert newest.decision == "discharge"


def test_a_decision_may_be_left_open_for_what_is_benign_or_decided_elsewhere(reader, three, patient):
    answer(reader, three)
    answer(reader, photographed(patient, "urgent"), "mel", decision="not_here")
    assert ReviewGroup.objects.count() == 2
    assert not ManagementDecision.objects.exists()


def test_an_unticked_photograph_stays_in_the_queue(reader, three):
    answer(reader, three[:2])
    assert list(QueueEntry.objects.waiting().values_list("image", flat=True)) == [three[2].pk]
    assert not Review.objects.filter(image=three[2]).exists()


def test_a_photograph_that_was_excluded_meanwhile_is_not_answered(reader, three, dermatologist):
    exclude_image(image=three[0], by=dermatologist, reason="other_lesion", note="")
    assert answer(reader, three).status_code == 422
    assert not Review.objects.exists()


def test_a_lesion_of_another_patient_or_visit_is_not_found(reader, three, patient):
    elsewhere = photographed(factories.PatientFactory(clinic=patient.clinic), "calm")[0]
    mixed = reverse("admin:review-lesion", args=[three[0].visit_id, elsewhere.lesion_id])
    other_visit = factories.VisitFactory(patient=patient)
    empty = reverse("admin:review-lesion", args=[other_visit.pk, three[0].lesion_id])
    assert (reader.get(mixed).status_code, reader.get(empty).status_code) == (404, 404)


def test_the_queue_counts_lesions_and_urgent_ones_come_first(reader, dermatologist, patient, three):
    calm = photographed(patient, "calm", "calm")
    offer = offer_lesion(dermatologist)
    assert (offer.photographs, offer.lesions) == (5, 2)
    assert offer.place == (three[0].visit_id, three[0].lesion_id)
    page = reader.get(NEXT)
    assert page.context["lesion"] == three[0].lesion
    assert (page.context["progress"].waiting, page.context["progress"].lesions) == (5, 2)
    answer(reader, three)
    assert reader.get(NEXT).context["lesion"] == calm[0].lesion


def test_a_colleague_is_not_offered_the_same_lesion(reader, sign_in, clinic, three):
    reader.get(NEXT)
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    page = sign_in(colleague).get(NEXT)
    assert "nothing_to_review" in codes(page.content.decode())


def test_skipping_a_lesion_and_bringing_it_back(reader, dermatologist, three):
    reader.post(reverse("admin:review-unit"), {"by": "lesion"})
    assert reader.post(address(three[0], "-skip")).url == NEXT
    assert offer_lesion(dermatologist).place is None
    assert reader.post(reverse("admin:review-undo")).url == address(three[0])
    assert offer_lesion(dermatologist).photographs == 3


def test_the_way_of_reviewing_is_remembered(reader, sign_in, dermatologist, three):
    assert reader.post(reverse("admin:review-unit"), {"by": "lesion"}).url == NEXT
    assert sign_in(dermatologist).get("/admin/review/").url == NEXT
    reader.post(reverse("admin:review-unit"), {"by": "photograph"})
    assert sign_in(dermatologist).get("/admin/review/").context["image"] == three[1]


def test_undo_withdraws_the_whole_answer_and_its_decision(reader, clinic, three):
    clinic.reading = Reading.NETWORK_SHOWN
    clinic.save(update_fields=["reading"])
    withdrawn = []
    receive = lambda decision, **_more: withdrawn.append(decision)  # noqa: E731
    management_withdrawn.connect(receive)
    reader.get(NEXT)
    answer(reader, three, "mel", decision="biopsy")
    newest = newest_decision(three[0].lesion)
    assert newest is not None
    assert newest.decision == "biopsy"
    assert reader.post(reverse("admin:review-undo")).url == address(three[0])
    assert not Review.objects.standing().exists()
    assert newest_decision(three[0].lesion) is None
    assert [each.decision for each in withdrawn] == ["biopsy"]
    assert QueueEntry.objects.waiting().count() == 3


def test_a_colleagues_answer_in_between_is_shown_first(reader, clinic, three):
    clinic.reading = Reading.NETWORK_SHOWN
    clinic.save(update_fields=["reading"])
    token = reader.get(NEXT).context["form"]["made_from"].value()
    colleague = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    record_review(image=three[1], reviewer=colleague, answer="mel", certainty="certain")
    page = answer(reader, three, made_from=token)
    assert page.status_code == 409
    assert not ReviewGroup.objects.exists()
    answer(reader, three, made_from=page.context["form"]["made_from"].value())
    assert ReviewGroup.objects.get().reviews.count() == 3


# --- The decision ----------------------------------------------------------------------------------------------


def test_plans_can_follow_a_decision(three, dermatologist):
    decided = []
    receive = lambda decision, **_more: decided.append(decision)  # noqa: E731
    management_decided.connect(receive)
    row = record_management_decision(lesion=three[0].lesion, member=dermatologist, decision="follow", months=3)
    assert decided == [row]
    assert "3 months" in row.words
    with pytest.raises(MonthsMissing):
        record_management_decision(lesion=three[0].lesion, member=dermatologist, decision="follow")


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"decision": "amputate"}, "management_decision_is_known"),
        ({"decision": "follow"}, "months_are_stated_for_a_follow_up_alone"),
        ({"decision": "excise", "months": 3}, "months_are_stated_for_a_follow_up_alone"),
        ({"decision": "follow", "months": 0}, "follow_up_is_within_five_years"),
        ({"decision": "follow", "months": 61}, "follow_up_is_within_five_years"),
    ],
)
def test_the_database_refuses_a_decision_that_says_nothing(three, dermatologist, facts, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ManagementDecision.objects.create(lesion=three[0].lesion, member=dermatologist, **facts)


def test_decisions_and_groups_stay_as_they_were_written(reader, three):
    answer(reader, three, "mel", decision="excise")
    with pytest.raises(IntegrityError, match="management_decision_is_append_only"), transaction.atomic():
        ManagementDecision.objects.update(decision="discharge")
    with pytest.raises(IntegrityError, match="review_group_is_append_only"), transaction.atomic():
        ReviewGroup.objects.update(reviewer=factories.MemberFactory())
    with pytest.raises(IntegrityError, match="review_is_append_only"), transaction.atomic():
        Review.objects.update(answer="nv")
    group = ReviewGroup.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.create(image=three[0], reviewer=group.reviewer, answer="nv", certainty="certain", group=group)
