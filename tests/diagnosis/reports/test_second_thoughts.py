"""Doubts, later findings and corrections: what still counts stays readable, and the rest is marked."""

import datetime
import json

import pytest
from django.urls import reverse

from diagnosis.reviews.models import ConfirmedLabel, QueueEntry
from diagnosis.reviews.services import record_review
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named, read
from tests.hooks import articles, chips, codes, wording

AGAIN = "This is being looked at again"


def says(image, reader, answer: str, certainty: str = "certain", **facts):
    record_review(image=image, reviewer=reader, answer=answer, certainty=certainty, reason="", **facts)


def page_of(client, record) -> str:
    return " ".join(client.get(record.get_absolute_url()).content.decode().split())


@pytest.mark.parametrize("own", [True, False])
def test_a_suspicion_after_a_harmless_label_is_said_everywhere(
    sign_in, patient, dermatologist, clinic, patient_user, own
):
    image = named(answered(patient, visit__plan="Come again in a year."), dermatologist, "df")
    report = signed_report(image.visit, dermatologist, released=True)
    colleague = dermatologist if own else factories.MemberFactory(clinic=clinic, role="dermatologist")

    says(image, colleague, "mel", "unsure")

    client = sign_in(dermatologist)
    for record in (image, image.visit, image.lesion, patient):
        assert "Suspected: Melanoma" in page_of(client, record), record
    assert "Suspected: Melanoma" in client.get(reverse("visits")).content.decode()
    assert "reviews_contradict_report" in codes(client.get(reverse("visits")).content.decode())
    assert wording("This diagnosis counts.") not in page_of(client, image)
    assert QueueEntry.objects.get(image=image).state == "waiting"
    assert ConfirmedLabel.objects.get(image=image).answer == ""
    own_pages = sign_in(patient_user)
    assert "looked_at_again" in codes(own_pages.get(reverse("my-visits")).content.decode())
    for address in (
        reverse("my-visit", args=[image.visit_id]),
        *(reverse(f"report-{kind}", args=[report.pk]) for kind in ("pdf", "json")),
    ):
        told = own_pages.get(address)
        assert told.status_code == 409
        assert AGAIN in told.content.decode()
        assert "harmless" not in told.content.decode()


def test_who_cannot_tell_any_more_takes_the_harmless_label_back(sign_in, patient, dermatologist):
    image = named(answered(patient), dermatologist, "nv")
    says(image, dermatologist, "cannot_tell")
    page = page_of(sign_in(dermatologist), image)
    assert wording("Confirmed by dermatologists") not in page
    assert QueueEntry.objects.get(image=image).state == "waiting"


def test_one_lesion_looked_at_again_hides_no_other_finding(sign_in, patient, dermatologist, patient_user):
    visit = factories.VisitFactory(patient=patient, plan="Lesion 2: a sample on 2 December.")
    harmless = named(answered(patient, visit=visit, lesion__number=41), dermatologist, "nv")
    other = named(answered(patient, visit=visit, lesion__number=42), dermatologist, "merkel")
    report = signed_report(visit, dermatologist, released=True)
    named(answered(patient, lesion=harmless.lesion), dermatologist, "mel")

    client = sign_in(patient_user)
    response = client.get(reverse("my-visit", args=[visit.pk]))
    page = " ".join(response.content.decode().split())

    assert response.status_code == 409
    assert AGAIN in page
    assert f"{other.lesion.title}, {other.lesion.place}: <strong>Merkel cell carcinoma</strong>" in page
    assert "a sample on 2 December" in page
    assert "nevus" not in page
    assert "Melanoma" not in page, "that is for the clinic to say"
    listed = client.get(reverse("my-visits")).content.decode()
    assert "looked_at_again" in codes(listed)
    assert ("confirmed", "urgent") in chips(listed)
    assert AGAIN in client.get(reverse("report-pdf", args=[report.pk])).content.decode()


def test_a_label_that_says_what_the_addendum_has_said_hides_nothing(sign_in, patient, dermatologist, patient_user):
    before = named(answered(patient, visit__date=datetime.date(2026, 3, 9)), dermatologist, "nv")
    report = signed_report(before.visit, dermatologist, released=True)
    named(answered(patient, lesion=before.lesion), dermatologist, "mel")
    signed_addendum(report, dermatologist, words="It turned out to be a melanoma.")
    named(before, dermatologist, "mel")
    client = sign_in(patient_user)
    assert "It turned out to be a melanoma." in read(client, before.visit)
    assert "looked_at_again" not in codes(client.get(reverse("my-visits")).content.decode())


def test_of_a_malignant_lesion_no_harmless_name_counts(sign_in, patient, dermatologist, patient_user):
    before = named(answered(patient, visit__date=datetime.date(2026, 3, 9)), dermatologist, "nv")
    report = signed_report(before.visit, dermatologist, released=True)
    now = named(answered(patient, lesion=before.lesion), dermatologist, "mel")
    newer = signed_report(now.visit, dermatologist, released=True)
    signed_addendum(report, dermatologist, words="It turned out to be a melanoma.")

    client = sign_in(patient_user)
    page = read(client, now.visit)
    assert wording("<s>Melanocytic nevus (mole)</s> was the diagnosis at the visit of 9 March 2026.") in page
    for visit in (now.visit, before.visit):
        page = read(client, visit)
        assert "About: Melanoma" in page
        assert "nv" not in articles(page)
    listed = client.get(reverse("my-visits")).content.decode()
    assert "Confirmed: Melanoma" in listed
    assert ("confirmed", "accent") not in chips(listed)
    assert [each["code"] for each in json.loads(newer.content)["explanations"]] == ["mel"]


def test_a_glance_is_no_calmer_than_what_it_stands_for(patient, dermatologist):
    from diagnosis.reports.report_view import present

    image = answered(patient, visit__bleeding=True)
    report = signed_report(image.visit, dermatologist)
    (lesion,) = present(json.loads(report.content))["lesions"]
    assert lesion["glance"]["tier_words"] == "Have it looked at"


def test_a_smartphones_photograph_is_not_said_to_be_read_by_dermatoscopy(patient, dermatologist):
    image = named(answered(patient, measures={"smartphone": 1.0}), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist)
    (lesion,) = json.loads(report.content)["lesions"]
    assert lesion["photographs"][0]["confirmed"]["basis_words"] == ""


@pytest.mark.parametrize("doubt", ["labels", "file"])
def test_what_contradicts_itself_keeps_nobody_at_home(sign_in, patient, dermatologist, clinic, doubt):
    image = named(answered(patient, sha256="c" * 64), dermatologist, "nv")
    client = sign_in(dermatologist)
    assert wording("You need no appointment") in page_of(client, image)
    if doubt == "labels":
        named(answered(patient, lesion=image.lesion), dermatologist, "mel")
    else:
        answered(factories.PatientFactory(clinic=clinic), sha256="c" * 64)
    page = page_of(client, image)
    assert wording("You need no appointment") not in page
    assert wording("First clarify what this spot is") in page
    if doubt == "labels":
        assert wording("This diagnosis counts.") not in page
        assert "tier tier-watch" in page
