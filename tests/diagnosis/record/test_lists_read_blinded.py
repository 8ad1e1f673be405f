"""Lists withhold the network's answer from those who may still be asked to read blinded, and reassure nobody.

What a list shows of a photograph that waits for its reader is the same for a calm and for an urgent answer.
"""

import pytest
from django.urls import reverse

from diagnosis.reviews.blinding import unread_among
from diagnosis.reviews.models import SeenAnswer
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import Reading, ReviewRule, Role
from tests import factories
from tests.diagnosis.photographing import predict
from tests.diagnosis.record.test_answers_seen import PASSING

WAITS = "Waits for your answer"


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


@pytest.fixture
def colleague(clinic):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


def waiting(patient, *, code="mel", tier="urgent", **facts):
    facts.setdefault("lesion__patient", patient)
    image = factories.ImageFactory(**facts)
    factories.PredictionFactory(image=image, code=code, tier=tier)
    refresh_queue_entry(image=image)
    return image


LISTS = {
    "the visits": lambda image: reverse("visits"),
    "the visits as a file": lambda image: reverse("visits-csv"),
    "the lesions": lambda image: reverse("lesions"),
    "the lesions as a file": lambda image: reverse("lesions-csv"),
    "the patient": lambda image: image.visit.patient.get_absolute_url(),
    "the body map": lambda image: reverse("body-map", args=[image.visit.patient_id]),
    "the place on the map": lambda image: reverse("lesion-place", args=[image.lesion_id]),
    "the admin's patient": lambda image: reverse("admin:patients_patient_change", args=[image.visit.patient_id]),
}


def text_of(client, path) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    text = (b"".join(response) if response.streaming else response.content).decode()
    main = text[text.index("<main") : text.index("</main>")] if "<main" in text else text
    return PASSING.sub("", main)


def rows_of(client, path) -> str:
    """The table of a list, without the filter above it."""
    text = text_of(client, path)
    return text[text.index("<table") :]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_the_same_of_calm_and_urgent_ones(sign_in, dermatologist, patient, name):
    client, image = sign_in(dermatologist), waiting(patient)
    path = LISTS[name](image)
    urgent = text_of(client, path)
    predict(image, code="nv", tier="calm")
    refresh_queue_entry(image=image)
    calm = text_of(client, path)
    assert urgent == calm
    assert WAITS in urgent or "to be looked at" in urgent
    assert not SeenAnswer.objects.exists(), "so the reading stays blinded"


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("role", [Role.STAFF, Role.MANAGER, Role.DERMATOLOGIST])
def test_who_is_not_asked_blinded_sees_what_is_urgent(sign_in, clinic, patient, name, role):
    if role == Role.DERMATOLOGIST:
        clinic.reading = Reading.NETWORK_SHOWN
        clinic.save(update_fields=["reading"])
    if name.startswith("the admin") and role == Role.STAFF:
        pytest.skip("The admin is closed to staff.")
    image = waiting(patient)
    text = text_of(sign_in(factories.MemberFactory(clinic=clinic, role=role)), LISTS[name](image))
    assert "urgent" in text.lower() or "within two weeks" in text
    assert WAITS not in text


def test_after_ones_own_answer_the_list_names_the_networks(sign_in, dermatologist, patient):
    image = waiting(patient)
    record_review(image=image, reviewer=dermatologist, answer="nv", certainty="unsure", was_blinded=True)
    text = rows_of(sign_in(dermatologist), reverse("visits"))
    assert WAITS not in text
    assert "badge-urgent" in text


def test_so_it_does_once_the_answer_was_read_on_its_page(sign_in, dermatologist, patient):
    image, client = waiting(patient), sign_in(dermatologist)
    client.get(image.get_absolute_url())
    assert WAITS not in rows_of(client, reverse("visits"))


def test_a_colleagues_suspicion_is_withheld_and_a_settled_label_is_not(
    sign_in, clinic, dermatologist, colleague, patient
):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save(update_fields=["review_rule"])
    image, client = waiting(patient, code="nv", tier="calm"), sign_in(dermatologist)
    record_review(image=image, reviewer=colleague, answer="mel", certainty="probable", was_blinded=True)
    text = rows_of(client, reverse("visits"))
    assert WAITS in text
    assert "Melanoma" not in text
    third = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
    record_review(image=image, reviewer=third, answer="mel", certainty="probable", was_blinded=True)
    assert "Confirmed: Melanoma" in rows_of(client, reverse("visits")), "a settled danger is named to everyone"


def test_another_photograph_of_the_lesion_does_not_tell_it(sign_in, dermatologist, patient):
    client, seen = sign_in(dermatologist), waiting(patient, code="nv", tier="calm")
    client.get(seen.get_absolute_url())
    image = waiting(patient, lesion=seen.lesion, visit=factories.VisitFactory(patient=patient))
    assert unread_among(dermatologist, [seen, image]) == {image.pk}
    text = rows_of(client, reverse("visits"))
    assert WAITS in text
    assert "another photograph" not in text.lower()
    assert "badge-urgent" not in text


def test_one_that_waits_is_shown_beside_one_that_is_known(sign_in, dermatologist, patient):
    client, seen = sign_in(dermatologist), waiting(patient, tier="watch")
    client.get(seen.get_absolute_url())
    waiting(patient, visit=seen.visit, lesion=factories.LesionFactory(patient=patient, number=7))
    text = rows_of(client, reverse("visits"))
    assert WAITS in text, "a known answer does not hide that another photograph may be more urgent"
    assert "Have it looked at" in text


@pytest.mark.parametrize("tier", ["urgent", "watch", "calm"])
@pytest.mark.parametrize("page", ["visits", "lesions"])
def test_the_filter_by_urgency_finds_whatever_waits_as_urgent_and_nothing_else(
    sign_in, dermatologist, patient, page, tier
):
    client = sign_in(dermatologist)
    waiting(patient, code="nv" if tier == "calm" else "mel", tier=tier)

    def found(**wanted) -> int:
        return len(client.get(reverse(page), wanted).context["page"])

    assert [found(tier=each) for each in ("urgent", "watch", "not-judged", "calm")] == [1, 0, 0, 0]
    assert found(plan="none") == 1, "it may need a plan"


def test_the_filter_by_urgency_is_by_the_network_for_others(sign_in, staff, patient):
    client = sign_in(staff)
    waiting(patient, code="nv", tier="calm")
    found = [
        len(client.get(reverse("visits"), {"tier": each}).context["page"]) for each in ("urgent", "watch", "calm")
    ]
    assert found == [0, 0, 1]


@pytest.mark.parametrize(
    "query", ["reason=urgent", "priority__gte=100", "reasons__contains=urgent", "reason__in=urgent"]
)
def test_the_queue_in_the_admin_cannot_be_filtered_by_address(sign_in, clinic, dermatologist, patient, query):
    waiting(patient)
    waiting(patient, code="nv", tier="calm")
    address = f"{reverse('admin:diagnosis_queueentry_changelist')}?{query}"
    response = sign_in(dermatologist).get(address)
    rows = response.context["cl"].result_list if response.context and "cl" in response.context else []
    assert len(list(rows)) in (0, 2), "either refused, or not filtered"
    assert response.status_code in (200, 302, 400)
    manager = factories.MemberFactory(clinic=clinic, role=Role.MANAGER)
    assert sign_in(manager).get(f"{reverse('admin:diagnosis_queueentry_changelist')}?reason=urgent").status_code == 200


@pytest.mark.parametrize(("query", "count"), [("state=done", 0), ("needs=1", 1)])
def test_the_queue_in_the_admin_is_filtered_by_what_it_offers(sign_in, dermatologist, patient, query, count):
    waiting(patient)
    response = sign_in(dermatologist).get(f"{reverse('admin:diagnosis_queueentry_changelist')}?{query}")
    assert (response.status_code, len(response.context["cl"].result_list)) == (200, count)


def test_today_counts_what_is_urgent_without_naming_it(sign_in, dermatologist, patient):
    waiting(patient)
    waiting(patient, code="nv", tier="calm")
    section = sign_in(dermatologist).get(reverse("today")).context["sections"][0]
    assert (section.found, section.unnamed, section.rows) == (1, 1, [])
    assert section.is_pressing
