"""Suspicions after a report was signed: readers are told, or read that the lesion is being looked at again."""

import datetime
import json

import pytest
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.reports.content import build_content
from diagnosis.reports.signing_checks import pressing_lesions
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named, read
from tests.diagnosis.reports.test_second_thoughts import AGAIN, page_of, says
from tests.hooks import chips, coded, codes, wording


def reported(patient, dermatologist, *, label: str = "", tier: str = "calm"):
    image = answered(patient, tier, visit__plan="Come again in nine months.")
    if label:
        named(image, dermatologist, label)
    return image, signed_report(image.visit, dermatologist, released=True)


@pytest.mark.parametrize(("label", "tier"), [("", "calm"), ("", "watch"), ("nv", "calm"), ("nv", "urgent")])
def test_a_report_that_calls_nothing_dangerous_does_not_outlast_a_suspicion(
    sign_in, patient, dermatologist, patient_user, clinic, label, tier
):
    image, report = reported(patient, dermatologist, label=label, tier=tier)
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
    assert "reviews_contradict_report" in codes(staffs.get(reverse("visits")).content.decode())
    assert "suspected: Melanoma (not settled)" in page_of(staffs, image.visit)
    form = staffs.get(reverse("visit-addendum", args=[image.visit_id])).content.decode()
    assert "suspected: Melanoma (not settled)" in form
    assert wording("Does the plan still hold?") in form

    added = json.loads(signed_addendum(report, dermatologist, words="It has to come out.", replaces_plan=True).content)

    assert [(each["now"]["code"], each["now"]["suspected"]) for each in added["labels"]] == [("", "Melanoma")]
    assert "reviews_contradict_report" not in codes(staffs.get(reverse("visits")).content.decode())
    page = read(patients, image.visit)
    assert "It has to come out." in page
    assert "Suspected: Melanoma (not settled)" in page
    assert wording("A dermatologist has called it Melanoma. Reviews have not settled that yet.") in page
    assert "tier-calm" not in page
    assert wording("You need no appointment") not in page
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
    assert "signed_without_label" not in codes(page)
    assert "suspected: Melanoma (not settled))" in page
    (label,) = json.loads(signed_addendum(report, dermatologist, words="It is a mole.").content)["labels"]
    assert (label["then"]["suspected"], label["now"]["code"], label["now"]["suspected"]) == ("Melanoma", "nv", "")
    page = read(sign_in(patient_user), image.visit)
    assert wording("A dermatologist has called it") not in page


def test_who_was_told_to_be_seen_soon_reads_on(sign_in, patient, dermatologist, patient_user):
    """A suspicion that the report tells, or that asks for no more haste than it does, is no news."""
    image = answered(patient, visit__plan="A sample next week.")
    says(image, dermatologist, "mel", "unsure")
    report = signed_report(image.visit, dermatologist, released=True)
    says(image, dermatologist, "bcc", "unsure")
    assert AGAIN not in read(sign_in(patient_user), image.visit)
    assert "Reviews contradict" not in sign_in(dermatologist).get(reverse("visits")).content.decode()
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
    assert (image.lesion.title in coded(form, "plan_mentions")) is is_named


def test_what_the_laboratory_proves_is_named_and_counts(sign_in, patient, dermatologist):
    before = named(answered(patient), dermatologist, "nv")
    later = answered(patient, lesion=before.lesion)
    says(later, dermatologist, "mel", basis="histopathology")
    client = sign_in(dermatologist)
    for record in (before, later, before.visit, before.lesion, patient):
        assert "contradiction" in codes(page_of(client, record)), record
    assert codes(client.get(reverse("visits"))).count("contradiction") == 2
    page = page_of(client, before)
    assert wording("Melanoma by histopathology, which counts.") in page
    assert wording("rely on neither") not in page


def test_the_list_says_what_the_page_says_beside_a_harmless_label(sign_in, patient, dermatologist):
    image = named(answered(patient, tier="watch"), dermatologist, "nv")
    client = sign_in(dermatologist)
    for page in (
        page_of(client, image.lesion),
        client.get(reverse("visits")).content.decode(),
        page_of(client, patient),
    ):
        assert ("network_disagrees", "refused") in chips(page)
    says(image, dermatologist, "nv", basis="histopathology")
    assert "network_disagrees" not in codes(client.get(reverse("visits")))


@pytest.mark.parametrize("certainty", ["unsure", "certain"])
def test_danger_on_a_photograph_that_was_put_back_is_news_of_its_lesion(
    sign_in, patient, dermatologist, patient_user, certainty
):
    image = answered(patient)
    aside = answered(patient, lesion=image.lesion, visit=image.visit)
    exclude_image(image=aside, by=dermatologist, reason="taken_twice")
    signed_report(image.visit, dermatologist, released=True)
    undo_exclusion(image=aside, by=dermatologist)
    patients = sign_in(patient_user)
    assert AGAIN not in read(patients, image.visit)
    says(aside, dermatologist, "mel", certainty)
    assert AGAIN in read(patients, image.visit)


def proven(image, reader, answer="mel"):
    says(image, reader, answer, basis="histopathology")
    return image


def flagged(client, record) -> bool:
    return "The signed report is no longer valid" in page_of(client, record)


# --- Another photograph of the lesion --------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["calm", "watch", "urgent"])
def test_a_suspicion_reaches_the_lesions_photographs_that_were_called_harmless(
    sign_in, patient, dermatologist, clinic, patient_user, tier
):
    """Whatever the network said of them: the harmless label is what their readers rely on."""
    before = named(answered(patient, tier, visit__plan="Come again in a year."), dermatologist, "nv")
    report = signed_report(before.visit, dermatologist, released=True)
    later = answered(patient, lesion=before.lesion)
    says(later, factories.MemberFactory(clinic=clinic, role="dermatologist"), "mel", "unsure")

    staffs, patients = sign_in(dermatologist), sign_in(patient_user)
    for record in (before, before.visit, before.lesion):
        assert "suspected_elsewhere" in codes(page_of(staffs, record)), record
    page = page_of(staffs, before)
    assert "Melanoma" in coded(page, "suspected_elsewhere")
    assert wording("This diagnosis counts.") not in page
    assert wording("You need no appointment") not in page
    assert "tier-calm" not in page
    assert flagged(staffs, before.visit)
    listed = staffs.get(reverse("visits")).content.decode()
    assert codes(listed).count("suspected_elsewhere") == 1
    assert "badge-calm" not in listed
    for address in (reverse("my-visit", args=[before.visit_id]), reverse("report-pdf", args=[report.pk])):
        assert AGAIN in patients.get(address).content.decode()

    signed_addendum(report, dermatologist, words="The newer photograph worries us.", replaces_plan=True)

    page = read(patients, before.visit)
    assert "The newer photograph worries us." in page
    assert wording("Melanoma</strong> (malignant): suspected at the visit of") in page
    assert "tier-calm" not in page
    assert wording("You need no appointment") not in page
    assert "Suspected: Melanoma" in patients.get(reverse("my-visits")).content.decode()
    assert not flagged(staffs, before.visit)
    named(later, dermatologist, "mel")
    assert flagged(staffs, before.visit), "what was suspected is confirmed"


def test_a_harmless_label_beside_a_suspicion_is_not_signed_without_a_plan(sign_in, patient, dermatologist, clinic):
    suspected = answered(patient)
    says(suspected, factories.MemberFactory(clinic=clinic, role="dermatologist"), "mel", "unsure")
    for basis in ("dermatoscopy", "histopathology"):
        image = answered(patient, lesion=suspected.lesion)
        says(image, dermatologist, "nv", basis=basis)
        assert pressing_lesions(build_content(image.visit)) == [image.lesion.title], basis


def test_of_two_other_photographs_the_better_founded_one_speaks(sign_in, patient, dermatologist):
    image = answered(patient)
    named(answered(patient, lesion=image.lesion, visit__date=datetime.date(2026, 1, 1)), dermatologist, "mel")
    answered(patient, tier="urgent", lesion=image.lesion, visit__date=datetime.date(2026, 6, 1))
    page = page_of(sign_in(dermatologist), image)
    shown = coded(page, "other_photograph_confirmed")
    assert "1 Jan 2026" in shown
    assert "Melanoma" in shown
    assert wording("The more urgent answer counts") not in page


# --- Earlier reports do not hide later changes -----------------------------------------------------------------------


def test_an_addendum_that_took_danger_back_does_not_hide_danger_found_later(
    sign_in, patient, dermatologist, patient_user
):
    image = named(answered(patient), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    for answer in ("mel", "nv"):
        named(image, dermatologist, answer)
        signed_addendum(report, dermatologist)
    staffs, patients = sign_in(dermatologist), sign_in(patient_user)
    assert not flagged(staffs, image.visit)
    proven(answered(patient, lesion=image.lesion), dermatologist)
    assert flagged(staffs, image.visit)
    assert AGAIN in read(patients, image.visit)


def test_what_was_found_elsewhere_and_taken_back_is_told_each_time(sign_in, patient, dermatologist, patient_user):
    image = named(answered(patient), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    later = answered(patient, lesion=image.lesion)
    staffs, patients = sign_in(dermatologist), sign_in(patient_user)
    for answer in ("mel", "nv", "mel"):
        named(later, dermatologist, answer)
        assert flagged(staffs, image.visit), answer
        (row,) = json.loads(signed_addendum(report, dermatologist).content)["elsewhere"]
        assert bool(row["label"]) is (answer == "mel")
        assert [each["code"] for each in row["gone"]] == ([] if answer == "mel" else ["mel"])
        assert not flagged(staffs, image.visit)
        page = read(patients, image.visit)
        assert ("About: Melanoma" in page) is (answer == "mel")
    assert wording("No longer confirmed at another visit: Melanoma.") in page_of(staffs, image.visit)


def test_a_report_does_not_go_on_quoting_what_another_visit_has_taken_back(
    sign_in, patient, dermatologist, patient_user
):
    first = named(answered(patient, visit__date=datetime.date(2026, 1, 1)), dermatologist, "nv")
    second = answered(patient, lesion=first.lesion)
    report = signed_report(second.visit, dermatologist, released=True)
    patients = sign_in(patient_user)
    assert wording("confirmed at the visit of 1 January 2026") in read(patients, second.visit)
    says(first, dermatologist, "cannot_tell")
    assert AGAIN in read(patients, second.visit)
    signed_addendum(report, dermatologist)
    page = read(patients, second.visit)
    assert wording("No longer confirmed at another visit: Melanocytic nevus (mole).") in page
    assert wording("confirmed at the visit of") not in page


def test_a_harmless_report_does_not_outlast_the_photograph_it_rests_on(sign_in, patient, dermatologist, patient_user):
    image = named(answered(patient), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    for reason in ("other_lesion", "unfit", "taken_twice"):
        exclude_image(image=image, by=dermatologist, reason=reason, note="It shows the other arm.")
        patients = sign_in(patient_user)
        for address in (reverse("my-visit", args=[image.visit_id]), reverse("report-pdf", args=[report.pk])):
            assert AGAIN in patients.get(address).content.decode(), reason
        undo_exclusion(image=image, by=dermatologist)
        assert AGAIN not in read(patients, image.visit)


def test_a_plan_made_before_danger_was_found_says_so_where_it_was_not_replaced(
    sign_in, patient, dermatologist, patient_user
):
    image = named(answered(patient, visit__plan="No treatment is needed."), dermatologist, "nv")
    report = signed_report(image.visit, dermatologist, released=True)
    named(image, dermatologist, "mel")
    signed_addendum(report, dermatologist, replaces_plan=False)
    no_longer = f"For {image.lesion.title} it no longer counts"
    assert no_longer in read(sign_in(patient_user), image.visit)
    staffs = sign_in(dermatologist)
    assert no_longer in page_of(staffs, image.visit)
    assert no_longer in page_of(staffs, image)
