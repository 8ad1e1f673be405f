"""Pages never say less than what is known: the most urgent photograph speaks, and the confirmed label explains."""

import pytest
from django.test import Client

from diagnosis.models import Image, Tier
from diagnosis.services.reviews import record_review
from patients.models import Member, Patient
from tests.conftest import PHOTOGRAPHS
from tests.diagnosis.photographing import kept
from tests.factories import LesionFactory, VisitFactory


@pytest.fixture
def staff_client(sign_in, staff: Member) -> Client:
    client: Client = sign_in(staff)
    return client


@pytest.fixture
def two_of_one_visit(staff: Member, patient: Patient) -> tuple[Image, Image]:
    """One lesion at one visit: a photograph that is urgent, and one taken after it that is calm."""
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    names = ("ISIC_0024331", "ISIC_0024327")
    urgent, calm = (kept(visit, lesion, staff, (PHOTOGRAPHS / f"{name}.jpg").read_bytes()) for name in names)
    assert urgent.predictions.get().tier == Tier.URGENT
    assert calm.predictions.get().tier == Tier.CALM
    return urgent, calm


def test_a_calm_photograph_taken_last_does_not_hide_an_urgent_one(staff_client, two_of_one_visit, patient):
    page = staff_client.get(patient.get_absolute_url()).content.decode()

    assert "See within two weeks" in page
    assert "Nothing alarming" not in page


def test_the_lesions_confirmed_label_is_shown_whichever_photograph_has_it(
    staff_client, two_of_one_visit, patient, dermatologist
):
    record_review(
        image=two_of_one_visit[1], reviewer=dermatologist, answer="mel", certainty="certain", reason="Biopsy"
    )

    page = staff_client.get(patient.get_absolute_url()).content.decode()

    assert "Confirmed: Melanoma" in page


def test_a_later_visit_speaks_for_the_lesion(staff_client, two_of_one_visit, patient, staff):
    urgent, _calm = two_of_one_visit
    type(urgent.visit).objects.filter(pk=urgent.visit_id).update(date="2025-01-01")
    later = VisitFactory(patient=patient)
    kept(later, urgent.lesion, staff, (PHOTOGRAPHS / "ISIC_0024320.jpg").read_bytes())

    page = staff_client.get(patient.get_absolute_url()).content.decode()

    assert "Nothing alarming" in page
    assert "See within two weeks" not in page


def test_what_a_dermatologist_confirmed_is_what_the_page_explains(
    staff_client, two_of_one_visit, dermatologist, patient
):
    calm = two_of_one_visit[1]
    assert "About: Melanocytic nevus" in staff_client.get(calm.get_absolute_url()).content.decode()
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain", reason="Biopsy")

    page = staff_client.get(calm.get_absolute_url()).content.decode()

    assert "About: Melanoma" in page
    assert "About: Melanocytic nevus" not in page


def test_a_review_form_chooses_nothing_beforehand(sign_in, dermatologist, two_of_one_visit):
    page = sign_in(dermatologist).get(two_of_one_visit[0].get_absolute_url())

    assert page.context["review_form"].initial == {}
    assert "selected>Basal" not in page.content.decode()


def test_the_confirmed_label_stands_over_what_the_network_said(staff_client, two_of_one_visit, dermatologist):
    _urgent, calm = two_of_one_visit
    assert "Nothing needs doing today" in staff_client.get(calm.get_absolute_url()).content.decode()
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain")
    page = staff_client.get(calm.get_absolute_url()).content.decode()

    assert page.index("Confirmed by dermatologists") < page.index("Nothing alarming was found")
    assert page.index('class="tier tier-urgent"') < page.index('class="tier tier-calm"')
    assert "Nothing needs doing today" not in page
    assert "What they plan counts" in page


def test_what_is_none_of_the_seven_is_named_in_full(staff_client, two_of_one_visit, dermatologist):
    _urgent, calm = two_of_one_visit
    record_review(
        image=calm,
        reviewer=dermatologist,
        answer="other",
        other_text="Merkel cell carcinoma",
        certainty="certain",
    )
    page = staff_client.get(calm.get_absolute_url()).content.decode()

    assert "Something else: Merkel cell carcinoma</h2>" in page


def test_a_confirmed_cancer_stands_before_a_calm_answer_wherever_it_is_listed(
    staff_client, two_of_one_visit, patient, dermatologist
):
    _urgent, calm = two_of_one_visit
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain")
    visit = staff_client.get(calm.visit.get_absolute_url()).content.decode()
    record = staff_client.get(patient.get_absolute_url()).content.decode()

    assert visit.index("Confirmed: Melanoma") < visit.index("Nothing alarming")
    for page in (visit, record):
        before = page[: page.index("Confirmed: Melanoma")]
        assert before.rindex("badge badge-urgent") > before.rindex("<span")
