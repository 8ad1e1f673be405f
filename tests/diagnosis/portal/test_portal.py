"""The patient's pages: only what was released to them, as it was signed."""

import datetime

import pytest
from django.urls import reverse

from diagnosis.reports.services import release_report
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from mlmodel.taxonomy import CODES, MALIGNANT_CODES
from tests import factories
from tests.diagnosis.reporting import MELANOMA, photographed_visit, refused_photograph, signed_addendum, signed_report
from tests.hooks import codes, wording


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Cut it out.\nThen rest.", notes="Very anxious.")


def review(visit, dermatologist, code):
    record_review(
        image=visit.images.earliest("created_at"),
        reviewer=dermatologist,
        answer=code,
        certainty=Certainty.CERTAIN,
        reason="Histology.",
    )


def test_the_empty_list_says_what_to_expect(sign_in, patient_user):
    page = sign_in(patient_user).get(reverse("my-visits")).content.decode()
    assert "no_visits" in codes(page)
    assert "dermatologist" in page


def test_a_visit_appears_when_it_is_released(sign_in, visit, dermatologist, patient_user):
    client = sign_in(patient_user)
    listed, own = reverse("my-visits"), reverse("my-visit", args=[visit.pk])
    assert own not in client.get(listed).content.decode()
    assert client.get(own).status_code == 404
    report = signed_report(visit, dermatologist)
    assert own not in client.get(listed).content.decode(), "signed is not released"
    assert client.get(own).status_code == 404
    release_report(report=report, by=dermatologist)
    assert own in client.get(listed).content.decode()
    assert client.get(own).status_code == 200


@pytest.mark.parametrize("added_late", [False, True])
def test_a_photograph_is_of_the_day_of_its_visit(sign_in, patient, dermatologist, patient_user, added_late):
    day = datetime.date(2025, 6, 7)
    visit = photographed_visit(patient, MELANOMA, date=day)
    added = day + datetime.timedelta(days=2 if added_late else 0)
    visit.images.update(created_at=datetime.datetime.combine(added, datetime.time(12), datetime.UTC))
    signed_report(visit, dermatologist, released=True)
    page = " ".join(sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode().split())
    assert "Photograph of 7 June 2025" in page
    assert ("(added 9 June 2025)" in page) == added_late
    assert ("(added" in page) == added_late


def released_visits(patient, dermatologist, *, days: int) -> None:
    """A released visit on each of the first days of 2026; without photographs, which take long."""
    for day in range(days):
        date = datetime.date(2026, 1, 1) + datetime.timedelta(days=day)
        signed_report(factories.VisitFactory(patient=patient, date=date), dermatologist, released=True)


def test_newest_first_and_on_pages(sign_in, patient, dermatologist, patient_user):
    released_visits(patient, dermatologist, days=21)
    client = sign_in(patient_user)
    first = [report.visit.date for report in client.get(reverse("my-visits")).context["reports"]]
    assert first[0] == datetime.date(2026, 1, 21)
    assert first == sorted(first, reverse=True)
    assert len(first) == 20
    second = client.get(reverse("my-visits"), {"page": "2"}).context["reports"]
    assert [report.visit.date for report in second] == [datetime.date(2026, 1, 1)]
    assert client.get(reverse("my-visits"), {"page": "x\0"}).status_code == 200


def test_the_list_costs_the_same_for_any_number(
    sign_in, patient, dermatologist, patient_user, django_assert_max_num_queries
):
    released_visits(patient, dermatologist, days=12)
    client = sign_in(patient_user)
    with django_assert_max_num_queries(20):
        client.get(reverse("my-visits"))


def test_the_dermatologists_label_comes_first(sign_in, visit, dermatologist, patient_user):
    review(visit, dermatologist, "nv")
    report = signed_report(visit, dermatologist, released=True)
    text = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert text.index(wording("What your dermatologist says")) < text.index(wording("What the software said before"))
    assert "Melanocytic nevus" in text
    assert dermatologist.name in text
    assert "Cut it out.<br>Then rest." in text
    assert reverse("report-pdf", args=[report.pk]) in text
    assert wording("Decision support, not a diagnosis") in text
    assert "Very anxious" not in text
    assert "Histology." not in text, "the reason is for colleagues"


def test_without_a_label_the_tier_leads(sign_in, visit, dermatologist, patient_user):
    refused_photograph(visit)
    signed_report(visit, dermatologist, released=True)
    text = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    prediction = visit.images.earliest("created_at").predictions.get()
    assert prediction.get_tier_display() in text
    assert wording("could not analyse this photograph") in text
    assert wording("What your dermatologist says") not in text


def test_a_later_review_does_not_reach_the_patient_by_itself(sign_in, visit, dermatologist, patient_user):
    signed_report(visit, dermatologist, released=True)
    review(visit, dermatologist, "bcc")
    text = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert wording("What your dermatologist says") not in text


def test_the_photographs_on_the_page_can_be_seen(sign_in, visit, dermatologist, patient_user):
    signed_report(visit, dermatologist, released=True)
    client = sign_in(patient_user)
    url = reverse("image-file", args=[visit.images.get().pk, "display"])
    assert url in client.get(reverse("my-visit", args=[visit.pk])).content.decode()
    photograph = client.get(url)
    assert photograph.status_code == 200
    assert b"".join(photograph.streaming_content).startswith(b"\xff\xd8")


def test_nobody_reads_another_patients_visit(sign_in, visit, dermatologist, patient_user, clinic):
    signed_report(visit, dermatologist, released=True)
    neighbour = factories.PatientFactory(clinic=clinic, user=factories.UserFactory())
    client = sign_in(neighbour.user)
    assert client.get(reverse("my-visit", args=[visit.pk])).status_code == 404
    assert reverse("my-visit", args=[visit.pk]) not in client.get(reverse("my-visits")).content.decode()


def test_members_have_no_portal(sign_in, dermatologist):
    assert sign_in(dermatologist).get(reverse("my-visits")).status_code == 403


def test_the_bars_of_malignant_classes_are_marked(sign_in, visit, dermatologist, patient_user):
    signed_report(visit, dermatologist, released=True)
    text = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert text.count('class="bar bar-malignant"') == len(MALIGNANT_CODES)
    assert text.count('class="bar"') == len(CODES) - len(MALIGNANT_CODES)


def test_no_inline_style_or_script(sign_in, visit, dermatologist, patient_user):
    signed_report(visit, dermatologist, released=True)
    text = sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert " style=" not in text
    assert "<style" not in text
    assert "onclick" not in text


@pytest.mark.parametrize(
    ("label", "tier", "tone", "words"),
    [
        ("", "urgent", "urgent", "See within two weeks"),
        ("", "watch", "watch", "Have it looked at"),
        ("", "calm", "calm", "Nothing alarming"),
        ("mel", "calm", "urgent", "Confirmed: Melanoma"),
        ("merkel", "calm", "urgent", "Confirmed: Merkel cell carcinoma"),
        ("meltump", "calm", "watch", "Confirmed: Melanocytic tumour"),
        ("other", "calm", "watch", "Confirmed: Something else: A tick"),
        ("nv", "calm", "accent", "Confirmed: Melanocytic nevus"),
    ],
)
def test_the_list_says_no_less_than_the_page_behind_it(
    sign_in, patient, dermatologist, patient_user, label, tier, tone, words
):
    image = answered(patient, tier)
    if label:
        said(image, dermatologist, label)
    signed_report(image.visit, dermatologist, released=True)
    page = sign_in(patient_user).get(reverse("my-visits")).content.decode()
    assert f'class="badge badge-{tone}">{words}' in page


def answered(patient, tier: str = "calm", **facts):
    image = factories.ImageFactory(lesion__patient=patient, **facts)
    factories.PredictionFactory(image=image, code="mel" if tier == "urgent" else "nv", tier=tier)
    return image


def said(image, dermatologist, answer: str) -> None:
    text = "A tick" if answer == "other" else ""
    record_review(image=image, reviewer=dermatologist, answer=answer, certainty=Certainty.CERTAIN, other_text=text)


def listed_sign(sign_in, patient_user):
    [row] = sign_in(patient_user).get(reverse("my-visits")).context["rows"]
    return row["chips"][0]


def test_the_most_urgent_of_several_speaks_in_the_list(sign_in, patient, dermatologist, patient_user):
    nevus = answered(patient)
    said(nevus, dermatologist, "nv")
    factories.PredictionFactory(
        image=factories.ImageFactory(lesion__patient=patient, visit=nevus.visit), code="mel", tier="urgent"
    )
    signed_report(nevus.visit, dermatologist, released=True)
    assert listed_sign(sign_in, patient_user).tone == "urgent"


def test_a_photograph_that_cannot_be_relied_on_is_not_calm_in_the_list(sign_in, patient, dermatologist, patient_user):
    image = answered(patient, measures={"smartphone": 1.0})
    signed_report(image.visit, dermatologist, released=True)
    sign = listed_sign(sign_in, patient_user)
    assert (sign.code, sign.tone) == ("no_dermatoscope", "watch")


def test_one_without_an_answer_says_so_in_the_list(sign_in, patient, dermatologist, patient_user):
    image = factories.ImageFactory(lesion__patient=patient, verdict="blurred")
    signed_report(image.visit, dermatologist, released=True)
    assert listed_sign(sign_in, patient_user).words == "Refused: blurred"


@pytest.mark.parametrize(("then", "now", "tone"), [("nv", "mel", "urgent"), ("mel", "nv", "watch")])
def test_what_was_added_counts_in_the_list(sign_in, patient, dermatologist, patient_user, then, now, tone):
    image = answered(patient)
    said(image, dermatologist, then)
    report = signed_report(image.visit, dermatologist, released=True)
    said(image, dermatologist, now)
    signed_addendum(report, dermatologist)
    sign = listed_sign(sign_in, patient_user)
    assert (sign.tone, sign.words.partition(":")[0]) == (tone, "Changed since")
