"""Danger that is suspected after a report was signed: its readers are told, or are told that it is looked at again."""

import json

import pytest
from django.urls import reverse

from diagnosis.services.set_aside import put_back_image, set_aside_image
from tests import factories

from .reporting import signed_addendum, signed_report
from .test_report_as_it_holds import answered, named, read
from .test_second_thoughts import AGAIN, page_of, says


def reported(patient, dermatologist, *, label: str = ""):
    image = answered(patient, visit__plan="Come again in nine months.")
    if label:
        named(image, dermatologist, label)
    return image, signed_report(image.visit, dermatologist, released=True)


@pytest.mark.parametrize("label", ["", "nv"])
def test_a_report_that_calls_nothing_dangerous_does_not_outlast_a_suspicion(
    sign_in, patient, dermatologist, patient_user, clinic, label
):
    image, report = reported(patient, dermatologist, label=label)
    patients = sign_in(patient_user)
    assert "nine months" in read(patients, image.visit)

    says(image, factories.MemberFactory(clinic=clinic, role="dermatologist"), "mel", "unsure")

    for address in (
        reverse("my-visit", args=[image.visit_id]),
        *(reverse(f"report-{kind}", args=[report.pk]) for kind in ("pdf", "json")),
    ):
        told = patients.get(address)
        assert told.status_code == 409
        assert AGAIN in told.content.decode()
        assert "nine months" not in told.content.decode()
    staffs = sign_in(dermatologist)
    assert "Reviews disagree with the signed report" in staffs.get(reverse("visits")).content.decode()
    assert "suspected: Melanoma (not settled)" in page_of(staffs, image.visit)
    form = staffs.get(reverse("visit-addendum", args=[image.visit_id])).content.decode()
    assert "suspected: Melanoma (not settled)" in form
    assert "Does the plan still hold?" in form

    added = json.loads(signed_addendum(report, dermatologist, words="It has to come out.", replaces_plan=True).content)

    assert [(each["now"]["code"], each["now"]["suspected"]) for each in added["labels"]] == [("", "Melanoma")]
    assert "Reviews disagree with the signed report" not in staffs.get(reverse("visits")).content.decode()
    page = read(patients, image.visit)
    assert "It has to come out." in page
    assert "Suspected: Melanoma (not settled)" in page
    assert "A dermatologist has called it Melanoma. Reviews have not settled that yet." in page
    assert "tier-calm" not in page
    assert "You need no appointment" not in page
    assert "<s>Come again in nine months.</s>" in page
    listed = patients.get(reverse("my-visits")).content.decode()
    assert "badge-urgent" in listed
    assert "badge-calm" not in listed


def test_a_suspicion_that_is_taken_back_is_told_too(sign_in, patient, dermatologist, patient_user):
    image, report = reported(patient, dermatologist)
    says(image, dermatologist, "mel", "unsure")
    signed_addendum(report, dermatologist, words="It has to come out.")
    named(image, dermatologist, "nv")
    staffs = sign_in(dermatologist)
    page = page_of(staffs, image.visit)
    assert "Melanocytic nevus (mole)" in page
    assert "(signed as: suspected: Melanoma (not settled))" in page
    (label,) = json.loads(signed_addendum(report, dermatologist, words="It is a mole.").content)["labels"]
    assert (label["then"]["suspected"], label["now"]["code"], label["now"]["suspected"]) == ("Melanoma", "nv", "")
    page = read(sign_in(patient_user), image.visit)
    assert "A dermatologist has called it" not in page


def test_who_was_told_to_be_seen_soon_reads_on(sign_in, patient, dermatologist, patient_user):
    """A suspicion that the report tells, or that asks for no more haste than it does, is no news."""
    image = answered(patient, visit__plan="A sample next week.")
    says(image, dermatologist, "mel", "unsure")
    report = signed_report(image.visit, dermatologist, released=True)
    says(image, dermatologist, "bcc", "unsure")
    assert AGAIN not in read(sign_in(patient_user), image.visit)
    assert "Reviews disagree" not in sign_in(dermatologist).get(reverse("visits")).content.decode()
    assert signed_addendum(report, dermatologist).content.count('"suspected"') == 0


@pytest.mark.parametrize(
    ("plan", "is_named"),
    [
        ("{title}: come again in nine months.", True),
        ("The one on the {place} can stay.", True),
        ("Come again in nine months.", False),
        ("{title}1 comes out.", False),
    ],
)
def test_who_adds_is_told_that_the_plan_speaks_of_the_changed_lesion(sign_in, patient, dermatologist, plan, is_named):
    visit = factories.VisitFactory(patient=patient)
    image = named(answered(patient, visit=visit, lesion__side="left"), dermatologist, "nv")
    visit.plan = plan.format(title=image.lesion.title.lower(), place=image.lesion.place.lower())
    visit.save(update_fields=["plan"])
    signed_report(visit, dermatologist)
    named(image, dermatologist, "mel")
    form = " ".join(sign_in(dermatologist).get(reverse("visit-addendum", args=[visit.pk])).content.decode().split())
    assert (f"The plan speaks of {image.lesion.title}" in form) is is_named


def test_what_the_laboratory_proves_is_named_and_counts(sign_in, patient, dermatologist):
    before = named(answered(patient), dermatologist, "nv")
    later = answered(patient, lesion=before.lesion)
    says(later, dermatologist, "mel", basis="histopathology")
    client = sign_in(dermatologist)
    for record in (before, later, before.visit, before.lesion, patient):
        assert "Melanoma by histopathology" in page_of(client, record), record
    assert client.get(reverse("visits")).content.decode().count("Melanoma by histopathology") == 2
    page = page_of(client, before)
    assert "Melanoma by histopathology, which counts." in page
    assert "rely on neither" not in page


def test_the_list_says_what_the_page_says_beside_a_harmless_label(sign_in, patient, dermatologist):
    image = named(answered(patient, tier="watch"), dermatologist, "nv")
    client = sign_in(dermatologist)
    for page in (
        page_of(client, image.lesion),
        client.get(reverse("visits")).content.decode(),
        page_of(client, patient),
    ):
        assert "Network: have it looked at" in page
    says(image, dermatologist, "nv", basis="histopathology")
    assert "Network: have it looked at" not in client.get(reverse("visits")).content.decode()


@pytest.mark.parametrize("certainty", ["unsure", "certain"])
def test_danger_on_a_photograph_that_was_put_back_is_news_of_its_lesion(
    sign_in, patient, dermatologist, patient_user, certainty
):
    image = answered(patient)
    aside = answered(patient, lesion=image.lesion, visit=image.visit)
    set_aside_image(image=aside, by=dermatologist, reason="taken_twice")
    signed_report(image.visit, dermatologist, released=True)
    put_back_image(image=aside, by=dermatologist)
    patients = sign_in(patient_user)
    assert AGAIN not in read(patients, image.visit)
    says(aside, dermatologist, "mel", certainty)
    assert AGAIN in read(patients, image.visit)
