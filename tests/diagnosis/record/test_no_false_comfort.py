"""Pages never say less than what is known: the most urgent photograph speaks, and the confirmed label explains."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.images.models import Image, Tier
from diagnosis.reports.report_view import present
from diagnosis.reviews.services import record_review
from patients.models import Member, Patient, ReviewRule
from tests.conftest import PHOTOGRAPHS
from tests.diagnosis.photographing import kept
from tests.diagnosis.reporting import signed_report
from tests.factories import LesionFactory, MemberFactory, VisitFactory
from tests.hooks import articles, coded, codes, wording


@pytest.fixture
def staff_client(sign_in, staff: Member) -> Client:
    client: Client = sign_in(staff)
    return client


@pytest.fixture
def two_of_one_visit(staff: Member, patient: Patient) -> tuple[Image, Image]:
    """One lesion at one visit: a photograph that is urgent, and one taken after it that is calm."""
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    names = ("ISIC_0024331", "ISIC_0024322")
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

    assert "warning:other_photograph_assessed" in codes(page)
    assert "See within two weeks" not in page


def test_what_a_dermatologist_confirmed_is_what_the_page_explains(
    staff_client, two_of_one_visit, dermatologist, patient
):
    calm = two_of_one_visit[1]
    assert "nv" in articles(staff_client.get(calm.get_absolute_url()).content.decode())
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain", reason="Biopsy")

    page = staff_client.get(calm.get_absolute_url()).content.decode()

    assert "About: Melanoma" in page
    assert "nv" not in articles(page)


def test_no_article_tells_to_stay_at_home_beside_a_result_that_asks_to_go(
    staff_client, two_of_one_visit, dermatologist
):
    urgent, calm = two_of_one_visit
    page = staff_client.get(calm.get_absolute_url()).text
    assert "nv" in articles(page)
    assert "no appointment" not in page
    assert wording("if there is none, the result") in page

    record_review(image=urgent, reviewer=dermatologist, answer="nv", certainty="certain")
    page = staff_client.get(urgent.get_absolute_url()).text
    assert "nv" in articles(page)
    assert "no appointment" not in page
    assert wording("Your result says") not in page, "the dermatologist has the last word"
    assert wording("Keep every appointment that was planned") in page


def test_a_review_form_chooses_nothing_beforehand(sign_in, dermatologist, two_of_one_visit):
    page = sign_in(dermatologist).get(two_of_one_visit[0].get_absolute_url())

    assert page.context["review_form"].initial == {"made_from": ""}
    assert "selected>Basal" not in page.content.decode()


def test_the_confirmed_label_stands_over_what_the_network_said(staff_client, two_of_one_visit, dermatologist):
    _urgent, calm = two_of_one_visit
    assert wording("What to do next") in staff_client.get(calm.get_absolute_url()).content.decode()
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain")
    page = staff_client.get(calm.get_absolute_url()).content.decode()

    assert page.index(wording("Confirmed by dermatologists")) < page.index(
        wording("The network called it calm and missed it</h3>")
    )
    assert page.count('class="tier tier-') == 1
    assert 'class="tier tier-urgent"' in page
    assert "Nothing alarming" not in page
    assert wording("<li>See a dermatologist") not in page
    assert wording("Their plan counts") in page


def test_what_is_none_of_the_seven_is_named_in_full(staff_client, two_of_one_visit, dermatologist):
    _urgent, calm = two_of_one_visit
    record_review(
        image=calm,
        reviewer=dermatologist,
        answer="other",
        other_text="Clear cell acanthoma",
        certainty="certain",
    )
    page = staff_client.get(calm.get_absolute_url()).content.decode()

    assert "Clear cell acanthoma</h2>" in page


def test_a_confirmed_cancer_stands_before_a_calm_answer_wherever_it_is_listed(
    staff_client, two_of_one_visit, patient, dermatologist
):
    _urgent, calm = two_of_one_visit
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain")
    visit = staff_client.get(calm.visit.get_absolute_url()).content.decode()
    record = staff_client.get(patient.get_absolute_url()).content.decode()

    for page in (visit, record):
        assert "Nothing alarming" not in page
        before = page[: page.index("Confirmed: Melanoma")]
        assert before.rindex("badge badge-urgent") > before.rindex("<span")


# --- What else is known of the spot ----------------------------------------------------------------------------------


def shown(client: Client, image: Image) -> str:
    return " ".join(client.get(image.get_absolute_url()).content.decode().split())


def test_a_calm_photograph_says_that_another_of_the_lesion_is_urgent(staff_client, two_of_one_visit):
    urgent, calm = two_of_one_visit

    page = shown(staff_client, calm)

    assert wording("Nothing alarming was found, but:") in page
    assert wording("See a dermatologist within two weeks") in coded(page, "other_photograph_assessed")
    assert f'href="{urgent.get_absolute_url()}">Open photograph' in page
    assert wording("Nothing needs doing today") not in page
    assert wording("<li>See a dermatologist within two weeks.") in page
    assert wording("Your result says: See a dermatologist within two weeks") in page
    assert "tier tier-calm" not in page
    assert calm.predictions.get().tier == Tier.CALM, "what the network said stays what it was"
    assert ", but:" not in shown(staff_client, urgent)


def test_a_calm_photograph_says_that_another_of_the_lesion_is_confirmed_malignant(
    staff_client, two_of_one_visit, dermatologist
):
    urgent, calm = two_of_one_visit
    record_review(image=urgent, reviewer=dermatologist, answer="mel", certainty="certain", reason="Biopsy")
    assert "Melanoma" in coded(shown(staff_client, calm), "other_photograph_confirmed")

    record_review(image=urgent, reviewer=dermatologist, answer="nv", certainty="certain", reason="Biopsy")

    assert ", but:" not in shown(staff_client, calm), "what dermatologists named outranks what the network said of it"


@pytest.mark.parametrize("symptom", ["bleeding", "growth", "pain"])
def test_a_calm_photograph_does_not_outweigh_what_the_patient_says(staff_client, staff, patient, symptom):
    visit = VisitFactory(patient=patient, **{symptom: True})
    calm = kept(visit, LesionFactory(patient=patient), staff, (PHOTOGRAPHS / "ISIC_0024322.jpg").read_bytes())
    words = visit._meta.get_field(symptom).verbose_name

    page = shown(staff_client, calm)

    assert wording("Nothing alarming was found, but:") in page
    assert str(words) in coded(page, "symptoms_of_the_visit")
    assert wording("Have a dermatologist look at this one soon") in page
    assert wording("Nothing needs doing today") not in page


def test_a_melanoma_that_one_of_two_readers_named_is_not_forgotten(
    staff_client, two_of_one_visit, clinic, dermatologist
):
    type(clinic).objects.filter(pk=clinic.pk).update(review_rule=ReviewRule.TWO_BLINDED_READERS)
    calm = Image.objects.get(pk=two_of_one_visit[1].pk)
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain", reason="Streaks")

    page = shown(staff_client, calm)

    assert "Melanoma" in coded(page, "suspected")
    assert wording("Nothing needs doing today") not in page

    record_review(image=calm, reviewer=dermatologist, answer="nv", certainty="certain", reason="No streaks after all")

    assert "suspected" not in codes(shown(staff_client, calm))


def test_an_itch_alone_asks_for_nothing(staff_client, staff, patient):
    visit = VisitFactory(patient=patient, itch=True)
    calm = kept(visit, LesionFactory(patient=patient), staff, (PHOTOGRAPHS / "ISIC_0024322.jpg").read_bytes())
    assert wording("Nothing needs doing today") in shown(staff_client, calm)


def test_a_photograph_with_a_label_of_its_own_speaks_for_itself(staff_client, two_of_one_visit, dermatologist):
    calm = two_of_one_visit[1]
    record_review(image=calm, reviewer=dermatologist, answer="nv", certainty="certain", reason="Biopsy")
    assert ", but:" not in shown(staff_client, calm)


def test_the_report_says_it_too_and_the_signer_is_asked(sign_in, dermatologist, two_of_one_visit, patient_user):
    urgent, calm = two_of_one_visit
    type(calm.visit).objects.filter(pk=calm.visit_id).update(bleeding=True)
    visit = type(calm.visit).objects.get(pk=calm.visit_id)
    checked = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk])).content.decode()
    assert "calm_with_warnings" in codes(checked)
    assert "badge-calm" not in checked

    report = signed_report(visit, dermatologist, released=True)

    (lesion,) = json.loads(report.content)["lesions"]
    said = {photograph["id"]: photograph["assessment"] for photograph in lesion["photographs"]}
    assert said[str(urgent.pk)]["doubts"] == []
    other, symptom = said[str(calm.pk)]["doubts"]
    assert wording("The more urgent answer counts.") in other
    assert "bleeds" in symptom
    assert said[str(calm.pk)]["next_steps"] == said[str(urgent.pk)]["next_steps"]
    own = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert wording("Nothing alarming was found, but:") in own
    assert wording("Nothing needs doing today") not in own


def test_reports_of_before_doubts_were_said_are_still_read(sign_in, dermatologist, two_of_one_visit, patient_user):
    visit = two_of_one_visit[1].visit
    report = signed_report(visit, dermatologist, released=True)
    content = json.loads(report.content)
    for photograph in content["lesions"][0]["photographs"]:
        del photograph["assessment"]["doubts"]
    old = present(content)["lesions"][0]
    assert [photograph["assessment"]["doubts"] for photograph in old["photographs"]] == [[], []]
    assert old["glance"]["doubts"] is False


def test_lists_of_visits_and_the_visit_show_the_most_urgent(staff_client, two_of_one_visit, patient):
    empty = VisitFactory(patient=patient)
    page = staff_client.get(reverse("visits")).content.decode()
    assert page.count("See within two weeks") == 1
    assert "Nothing alarming" not in page
    assert "No photograph" in page
    assert empty.get_absolute_url() in page
    visit = " ".join(staff_client.get(two_of_one_visit[0].visit.get_absolute_url()).content.decode().split())
    assert "Overall, most urgent first:" in visit


def test_a_benign_label_hides_no_open_spot_in_the_list_of_visits(
    staff_client, two_of_one_visit, dermatologist, patient, staff
):
    urgent, calm = two_of_one_visit
    record_review(image=calm, reviewer=dermatologist, answer="nv", certainty="certain", reason="Biopsy")
    page = staff_client.get(reverse("visits")).content.decode()
    assert "See within two weeks" in page
    assert "Confirmed" not in page

    record_review(image=urgent, reviewer=dermatologist, answer="bkl", certainty="certain", reason="Biopsy")
    page = staff_client.get(reverse("visits")).content.decode()
    assert "Confirmed: " in page
    assert "See within two weeks" not in page
    assert 'class="badge badge-watch">Network: see within two weeks</span>' in page
    record_review(
        image=urgent, reviewer=dermatologist, answer="bkl", certainty="certain", basis="histopathology", reason=""
    )
    assert "network_disagrees" not in codes(staff_client.get(reverse("visits")))

    record_review(
        image=urgent, reviewer=dermatologist, answer="mel", certainty="certain", basis="histopathology", reason=""
    )
    assert "Confirmed: Melanoma</span>" in staff_client.get(reverse("visits")).content.decode()


def test_the_forms_of_a_confirmed_photograph_keep_their_words(sign_in, dermatologist, two_of_one_visit):
    calm = two_of_one_visit[1]
    record_review(image=calm, reviewer=dermatologist, answer="mel", certainty="certain", reason="Biopsy")
    page = shown(sign_in(dermatologist), calm)
    assert "LabelView(" not in page
    assert 'name="certainty"' in page


# --- The wrong record, the wrong key ---------------------------------------------------------------------------------


def test_a_file_kept_elsewhere_is_told_where_one_reviews_and_signs(sign_in, dermatologist, patient, staff):
    data = (PHOTOGRAPHS / "ISIC_0024322.jpg").read_bytes()
    visit = VisitFactory(patient=patient)
    first = kept(visit, LesionFactory(patient=patient), staff, data)
    other = kept(visit, LesionFactory(patient=patient), staff, data)
    client, words = sign_in(dermatologist), "The same file is stored under another lesion too"
    for url in (
        reverse("admin:review-photograph", args=[first.pk]),
        reverse("visit-sign", args=[visit.pk]),
        first.get_absolute_url(),
    ):
        page = client.get(url).content.decode()
        assert words in page
        assert other.get_absolute_url() in page


@pytest.mark.usefixtures("network_shown")
def test_a_review_that_contradicts_the_network_about_danger_says_so(sign_in, dermatologist, two_of_one_visit):
    urgent, calm = two_of_one_visit
    client = sign_in(dermatologist)

    def answer(image: Image, code: str) -> str:
        sent = {"answer": code, "certainty": "certain", "basis": "dermatoscopy", "reason": "", "other_text": ""}
        url = reverse("admin:review-photograph", args=[image.pk])
        return client.post(url, sent, follow=True).content.decode()

    assert "Melanocytic nevus" in coded(answer(calm, "mel"), "network_disagrees")
    assert "network_disagrees" not in codes(answer(calm, "bkl"))
    assert "network_disagrees" in codes(answer(urgent, "nv"))
    colleague = sign_in(MemberFactory(clinic=dermatologist.clinic, role="dermatologist"))
    colleague.post(reverse("admin:review-mode"), {"blinded": "on"})
    blinded = colleague.get(reverse("admin:review-photograph", args=[calm.pk])).content.decode()
    assert "network_disagrees" not in codes(blinded), "a blinded reader is told nothing"
