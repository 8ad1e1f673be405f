"""Signed reports against later changes: a corrected record, changed labels, findings of other visits."""

import datetime
import json

import pytest
from django.urls import reverse

from diagnosis.reports.models import Report
from diagnosis.reviews.services import record_review
from patients.models import Side
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named
from tests.hooks import coded, codes, wording


@pytest.fixture
def report(patient, dermatologist, patient_user) -> Report:
    image = named(answered(patient, visit__plan="Come again in nine months."), dermatologist, "nv")
    return signed_report(image.visit, dermatologist, released=True)


def at(name: str, report: Report) -> str:
    return reverse(name, args=[report.visit_id])


# --- Changes to the record -------------------------------------------------------------------------------------------


def test_a_corrected_side_is_asked_about_until_it_is_added(sign_in, report, dermatologist, patient_user):
    lesion = report.visit.images.get().lesion
    lesion.side = Side.RIGHT
    lesion.save()
    client, url = sign_in(dermatologist), report.visit.get_absolute_url()
    page = " ".join(client.get(url).content.decode().split())
    assert "record_since" in codes(page)
    assert "place: <strong>right shoulder</strong>" in page
    assert "left shoulder" in coded(page, "report_no_longer_valid")
    assert "right shoulder" in client.get(at("visit-addendum", report)).content.decode()

    assert "record_changed_since" in codes(client.get(reverse("visits")))

    patient = sign_in(patient_user)
    own = " ".join(patient.get(at("my-visit", report)).content.decode().split())
    assert "record_since" in codes(own)
    assert "place: <strong>right shoulder</strong>" in own
    assert "<s>left shoulder</s> right shoulder" in own
    assert reverse("report-pdf", args=[report.pk]) not in own
    assert "Corrected since" in patient.get(reverse("my-visits")).content.decode()
    for kind in ("pdf", "json"):
        for asked in ({}, {"as": "signed"}):
            file = patient.get(reverse(f"report-{kind}", args=[report.pk]), asked)
            assert file.status_code == 409, "the file would name the wrong side"
            assert "right shoulder" in file.content.decode()

    signed_addendum(report, dermatologist)

    assert "record_changed_since" not in codes(client.get(url))
    own = " ".join(patient.get(at("my-visit", report)).content.decode().split())
    assert "place: <strong>right shoulder</strong>" in own
    assert "<s>left shoulder</s> right shoulder" in own
    assert patient.get(reverse("report-json", args=[report.pk])).status_code == 200


def test_a_patients_new_name_marks_no_older_report_as_misleading(sign_in, report, staff, patient, patient_user):
    type(patient).objects.filter(pk=patient.pk).update(family_name="Otherwise")
    client = sign_in(staff)
    page = client.get(report.visit.get_absolute_url()).content.decode()
    assert "details_changed" in codes(page)
    assert "callout-danger" not in page
    assert client.get(reverse("report-json", args=[report.pk])).status_code == 200
    assert "record_changed_since" not in codes(client.get(reverse("visits")))
    assert "Corrected since" not in sign_in(patient_user).get(reverse("my-visits")).content.decode()


@pytest.mark.parametrize(
    ("of", "field", "value", "words"),
    [
        ("patient", "family_name", "Otherwise", "Patient’s name"),
        ("patient", "birth_date", "1970-01-01", "Date of birth"),
        ("lesion", "description", "below the scar", "description"),
        ("visit", "history", "It bled.", "History"),
        ("visit", "plan", "Cut it out.", "Plan"),
    ],
)
def test_nothing_is_released_that_the_record_contradicts(sign_in, patient, dermatologist, of, field, value, words):
    image = answered(patient, visit__plan="Rest.")
    report = signed_report(image.visit, dermatologist)
    record = {"patient": patient, "lesion": image.lesion, "visit": image.visit}[of]
    type(record).objects.filter(pk=record.pk).update(**{field: value})

    client = sign_in(dermatologist)
    page = client.post(at("visit-release", report), follow=True).content.decode()

    assert "record_since" in codes(page)
    assert words in page
    report.refresh_from_db()
    assert report.released_at is None


# --- Contradicting reviews -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["nv", ""])
def test_a_report_does_not_go_on_reassuring(sign_in, patient, dermatologist, patient_user, label):
    image = answered(patient, visit__plan="Come again in nine months.")
    if label:
        named(image, dermatologist, label)
    report = signed_report(image.visit, dermatologist, released=True)
    client = sign_in(patient_user)
    assert "nine months" in client.get(at("my-visit", report)).content.decode()

    named(image, dermatologist, "mel")

    files = [reverse(f"report-{kind}", args=[report.pk]) for kind in ("pdf", "json")]
    for address in (at("my-visit", report), *files, f"{files[0]}?as=signed"):
        page = client.get(address).content.decode()
        assert "This is being looked at again" in page
        assert "nine months" not in page
        assert "Melanoma" not in page, "that is for the clinic to say"
    assert "looked_at_again" in codes(client.get(reverse("my-visits")).content.decode())
    staffs = sign_in(dermatologist).get(reverse("visits")).content.decode()
    assert "reviews_contradict_report" in codes(staffs)
    assert "badge-calm" not in staffs

    signed_addendum(report, dermatologist, words="It is a melanoma.")
    assert "It is a melanoma." in client.get(at("my-visit", report)).content.decode()
    assert "reviews_contradict_report" not in codes(sign_in(dermatologist).get(reverse("visits")).content.decode())


def test_no_file_is_handed_out_unmarked_that_no_longer_holds(sign_in, report, staff, dermatologist):
    image = report.visit.images.get()
    named(image, dermatologist, "mel")
    addendum = signed_addendum(report, dermatologist)
    named(image, dermatologist, "merkel")
    client = sign_in(staff)
    assert (
        reverse("report-pdf", args=[report.pk]) + '"'
        not in client.get(report.visit.get_absolute_url()).content.decode()
    )
    for kind in ("pdf", "json"):
        for name, record in (("report", report), ("addendum", addendum)):
            address = reverse(f"{name}-{kind}", args=[record.pk])
            page = client.get(address)
            assert page.status_code == 409
            assert "Merkel cell carcinoma" in page.content.decode()
            signed = client.get(address, {"as": "signed"})
            assert signed.status_code == 200
            assert signed["Content-Disposition"]


def test_what_a_lesion_turned_out_to_be_later_is_not_kept_from_who_reads_the_report_before(
    sign_in, patient, dermatologist, patient_user
):
    before = answered(patient, visit__date=datetime.date(2026, 3, 9), visit__plan="Come again in nine months.")
    named(before, dermatologist, "nv")
    report = signed_report(before.visit, dermatologist, released=True)
    other = named(answered(patient, visit__date=datetime.date(2026, 3, 10)), dermatologist, "nv")
    harmless = signed_report(other.visit, dermatologist, released=True)
    client, warned = sign_in(patient_user), "This is being looked at again"
    assert warned not in client.get(at("my-visit", report)).content.decode()

    later = named(answered(patient, lesion=before.lesion), dermatologist, "mel")
    record_review(
        image=later, reviewer=dermatologist, answer="mel", certainty="certain", basis="histopathology", other_text=""
    )

    for address in (
        at("my-visit", report),
        *(reverse(f"report-{kind}", args=[report.pk]) for kind in ("pdf", "json")),
    ):
        page = client.get(address)
        assert page.status_code == 409
        assert warned in page.content.decode()
        assert "nine months" not in page.content.decode()
        assert "Melanoma" not in page.content.decode(), "that is for the clinic to say"
    for kind in ("pdf", "json"):
        assert client.get(reverse(f"report-{kind}", args=[harmless.pk]))["Content-Disposition"]
    assert warned not in client.get(at("my-visit", harmless)).content.decode()
    assert codes(client.get(reverse("my-visits"))).count("looked_at_again") == 1
    staffs = sign_in(dermatologist)
    assert codes(staffs.get(reverse("visits"))).count("reviews_contradict_report") == 1
    assert "elsewhere_since" in codes(staffs.get(before.visit.get_absolute_url()))

    added = json.loads(signed_addendum(report, dermatologist, words="Read the newer report.").content)

    (found,) = added["elsewhere"]
    assert found["lesion"] == str(before.lesion_id)
    assert (found["label"]["code"], found["label"]["basis"]) == ("mel", "histopathology")
    of_visit = " ".join(staffs.get(before.visit.get_absolute_url()).content.decode().split())
    assert "certain · histopathology" in of_visit
    page = " ".join(client.get(at("my-visit", report)).content.decode().split())
    assert "Read the newer report." in page
    assert "<s>Come again in nine months.</s>" in page
    assert "About: Melanoma" in page
    assert wording("The laboratory has examined it") in page
    assert "tier-calm" not in page
    assert codes(staffs.get(reverse("visits"))).count("reviews_contradict_report") == 0


def test_a_report_of_a_lesion_that_turned_out_malignant_elsewhere_is_not_released(sign_in, patient, dermatologist):
    before = named(answered(patient, visit__date=datetime.date(2026, 3, 9)), dermatologist, "nv")
    report = signed_report(before.visit, dermatologist)
    named(answered(patient, lesion=before.lesion), dermatologist, "mel")
    page = sign_in(dermatologist).post(at("visit-release", report), follow=True).content.decode()
    assert "otherwise_elsewhere" in codes(page)
    report.refresh_from_db()
    assert report.released_at is None


def test_who_was_told_to_come_soon_reads_on(sign_in, patient, dermatologist, patient_user):
    image = answered(patient, "urgent", visit__plan="Come on Monday.")
    report = signed_report(image.visit, dermatologist, released=True)
    named(image, dermatologist, "mel")
    assert "Come on Monday." in sign_in(patient_user).get(at("my-visit", report)).content.decode()
