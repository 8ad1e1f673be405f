"""Possibly malignant labels, a dermatologist’s doubt and withdrawn danger never reassure."""

import json

import pytest
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.reports.content import build_content
from diagnosis.reports.report_view import present
from diagnosis.reports.services import needing_a_plan
from diagnosis.reports.signing_checks import pressing_lesions
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named, read
from tests.diagnosis.reports.test_second_thoughts import AGAIN, page_of, says
from tests.diagnosis.reports.test_suspected_since import flagged
from tests.hooks import codes, wording

# --- Possibly malignant labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("basis", ["dermatoscopy", "histopathology"])
@pytest.mark.parametrize("answer", ["meltump", "spitz_atypical", "other"])
@pytest.mark.parametrize("own", [True, False])
def test_no_harmless_report_outlasts_what_may_be_malignant(
    sign_in, patient, dermatologist, patient_user, answer, basis, own
):
    image = named(answered(patient, visit__plan="No control needed."), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    other = image if own else answered(patient, lesion=image.lesion)
    text = "Not known whether malignant" if answer == "other" else ""
    says(other, dermatologist, answer, basis=basis, other_text=text)
    patients, staffs = sign_in(patient_user), sign_in(dermatologist)
    for address in (reverse("my-visit", args=[image.visit_id]), reverse("report-pdf", args=[report.pk])):
        told = patients.get(address)
        assert told.status_code == 409
        assert "No control needed" not in told.content.decode()
    assert flagged(staffs, image.visit)
    signed_addendum(report, dermatologist, words="It is followed up.", replaces_plan=False)
    page = read(patients, image.visit)
    assert "It is followed up." in page
    assert f"For {image.lesion.title} it no longer counts" in page
    assert not flagged(staffs, image.visit)
    listed = patients.get(reverse("my-visits")).content.decode()
    assert "badge-watch" in listed or "badge-urgent" in listed


def test_what_may_be_malignant_is_suspected_too(sign_in, patient, dermatologist, clinic, patient_user):
    image = named(answered(patient), dermatologist, "nv")
    signed_report(image.visit, dermatologist, released=True)
    says(image, factories.MemberFactory(clinic=clinic, role="dermatologist"), "meltump", "unsure")
    assert AGAIN in read(sign_in(patient_user), image.visit)
    assert "not_settled" in codes(page_of(sign_in(dermatologist), image))


def test_a_report_of_what_may_be_malignant_is_planned_and_released_by_itself(patient, dermatologist):
    image = named(answered(patient), dermatologist, "meltump")
    content = build_content(image.visit)
    assert pressing_lesions(content) == [image.lesion.title]
    assert needing_a_plan(image.visit, content) == [image.lesion.title]


# --- Doubt -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "certainty"), [("cannot_tell", "certain"), ("nv", "unsure")])
def test_a_dermatologists_doubt_is_no_green(sign_in, patient, dermatologist, patient_user, answer, certainty):
    image = answered(patient)
    client = sign_in(dermatologist)
    assert "badge-calm" in client.get(reverse("visits")).content.decode()
    says(image, dermatologist, answer, certainty)
    for record in (image, image.visit, image.lesion, patient):
        page = page_of(client, record)
        assert {"not_sure", "warning:not_sure"} & {*codes(page)}, record
        assert "badge-calm" not in page
    assert "warning:not_sure" in codes(client.get(reverse("visits")))
    signed_report(image.visit, dermatologist, released=True)
    page = read(sign_in(patient_user), image.visit)
    assert wording("A dermatologist has looked at it and was not sure what it is.") in page
    assert "tier-calm" not in page
    named(image, dermatologist, "nv")
    assert not {"not_sure", "warning:not_sure"} & {*codes(page_of(client, image))}


# --- Undone exclusions, and urgent answers alone ---------------------------------------------------------------------


def test_a_photograph_that_was_put_back_is_not_in_the_report(sign_in, patient, dermatologist, patient_user):
    calm = answered(patient)
    urgent = answered(patient, "urgent", lesion=calm.lesion, visit=calm.visit)
    exclude_image(image=urgent, by=dermatologist, reason="unfit", note="It is blurred beyond use.")
    report = signed_report(calm.visit, dermatologist, released=True)
    undo_exclusion(image=urgent, by=dermatologist)
    assert flagged(sign_in(dermatologist), calm.visit)
    assert AGAIN in read(sign_in(patient_user), calm.visit)
    (row,) = json.loads(signed_addendum(report, dermatologist).content)["labels"]
    assert row["photograph"] == str(urgent.pk)
    assert not flagged(sign_in(dermatologist), calm.visit)


@pytest.mark.parametrize("reason", ["unfit", "taken_twice"])
def test_staff_do_not_take_an_urgent_answer_away(sign_in, patient, staff, dermatologist, reason):
    calm = answered(patient)
    urgent = answered(patient, "urgent", lesion=calm.lesion, visit=calm.visit)
    address = reverse("image-exclude", args=[urgent.pk])
    client = sign_in(staff)
    assert "only_urgent_photograph" in codes(client.get(address).content.decode())
    sent = {"reason": reason, "note": "It is blurred beyond use."}
    assert client.post(address, sent).status_code == 422
    doctors = sign_in(dermatologist)
    assert doctors.post(address, {"reason": reason, "note": ""}).status_code == 422
    assert not urgent.exclusions.standing().exists()
    assert doctors.post(address, sent).status_code == 302
    assert urgent.exclusions.standing().exists()


def test_staff_set_aside_what_another_photograph_says_as_well(sign_in, patient, staff, dermatologist):
    first = answered(patient, "urgent")
    second = answered(patient, "urgent", lesion=first.lesion, visit=first.visit)
    client = sign_in(staff)
    assert client.post(reverse("image-exclude", args=[first.pk]), {"reason": "unfit"}).status_code == 302
    assert client.post(reverse("image-exclude", args=[second.pk]), {"reason": "unfit"}).status_code == 422
    named(second, dermatologist, "nv")
    assert client.post(reverse("image-exclude", args=[second.pk]), {"reason": "unfit"}).status_code == 302


# --- The more serious of cancers and early forms counts --------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False])
def test_a_report_of_something_pre_malignant_does_not_outlast_a_melanoma(
    sign_in, patient, dermatologist, patient_user, own
):
    first = named(answered(patient, visit__plan="Cream; see you in six months."), dermatologist, "akiec")
    second = answered(patient, "urgent", lesion=first.lesion, visit=first.visit) if own else None
    if second:
        says(second, dermatologist, "mel", "unsure")
    signed_report(first.visit, dermatologist, released=True)
    patients = sign_in(patient_user)
    assert AGAIN not in read(patients, first.visit)
    says(second or answered(patient, lesion=first.lesion), dermatologist, "mel", basis="histopathology")
    assert AGAIN in read(patients, first.visit)


def test_a_suspicion_is_told_beside_a_label_of_another_photograph_that_says_less(
    sign_in, patient, dermatologist, patient_user
):
    first = named(answered(patient), dermatologist, "akiec")
    second = answered(patient, lesion=first.lesion, visit=first.visit)
    says(second, dermatologist, "mel", "unsure")
    report = signed_report(first.visit, dermatologist, released=True)
    patients = sign_in(patient_user)
    page = read(patients, first.visit)
    assert page.count(wording("More is suspected")) == 1
    assert wording("A dermatologist has called it Melanoma. Reviews have not settled that yet.") in page
    assert wording("More is suspected") in patients.get(reverse("my-visits")).content.decode()
    (lesion,) = present(json.loads(report.content))["lesions"]
    assert lesion["glance"]["tier_words"] == wording("More is suspected, see below")


def test_what_is_suspected_elsewhere_is_read_before_a_harmless_label(sign_in, patient, dermatologist, patient_user):
    first = named(answered(patient), dermatologist, "nv")
    second = answered(patient, lesion=first.lesion, visit=first.visit)
    says(second, dermatologist, "mel", "unsure")
    signed_report(first.visit, dermatologist, released=True)
    page = read(sign_in(patient_user), first.visit)
    told = "A dermatologist has called another photograph of this lesion Melanoma"
    assert page.count(told) == 1
    assert (
        page.index(wording("More is suspected")) < page.index(told) < page.index("Melanocytic nevus (mole)</strong>")
    )


def test_a_melanoma_goes_with_its_file_to_the_lesion_that_it_belongs_to(
    sign_in, patient, dermatologist, clinic, stranger
):
    image = answered(patient, sha256="d" * 64)
    says(image, dermatologist, "mel", basis="histopathology")
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note="It shows the spot on the other arm.")
    moved = answered(patient, sha256="d" * 64)
    client = sign_in(dermatologist)
    for record in (moved, moved.visit, moved.lesion):
        assert "Suspected: Melanoma" in page_of(client, record), record
    assert pressing_lesions(build_content(moved.visit)) == [moved.lesion.title]
    elsewhere = factories.PatientFactory(clinic=stranger.clinic)
    assert "Suspected" not in page_of(sign_in(stranger), answered(elsewhere, sha256="d" * 64).visit)
    named(moved, dermatologist, "nv")
    assert "Suspected: Melanoma" not in page_of(client, moved)
