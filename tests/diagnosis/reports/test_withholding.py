"""Withholding a released report and releasing it again, plans, and checks of whose photograph it is."""

import html
import json
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.reports.models import Report, Withholding
from diagnosis.reports.withholding import withhold_report
from patients.models import MessageKind, OutgoingMessage, VisitStatus
from tests import factories
from tests.diagnosis.reporting import chosen_steps, signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named
from tests.hooks import codes, wording

WRONG = {"reason": "plan", "note": "The plan was meant for another lesion."}


@pytest.fixture
def report(patient, dermatologist, patient_user) -> Report:
    image = named(answered(patient, visit__plan="Come again in nine months."), dermatologist, "nv")
    return signed_report(image.visit, dermatologist, released=True)


def at(name: str, report: Report) -> str:
    return reverse(name, args=[report.visit_id])


def test_a_released_report_is_withheld_and_released_again(sign_in, report, dermatologist, patient_user):
    client, patient = sign_in(dermatologist), sign_in(patient_user)
    client.post(at("visit-withhold", report), WRONG)

    listed = " ".join(patient.get(reverse("my-visits")).content.decode().split())
    assert wording("has been withheld since") in listed
    assert wording("The plan in it is being checked.") in listed
    assert WRONG["note"] not in listed
    for address in (
        at("my-visit", report),
        *(reverse(f"report-{kind}", args=[report.pk]) for kind in ("pdf", "json")),
    ):
        withheld = patient.get(address)
        assert withheld.status_code == 403
        page = " ".join(withheld.content.decode().split())
        assert wording("has been withheld since") in page
        assert "nine months" not in page
        assert WRONG["note"] not in page
    for kind in ("pdf", "json"):
        address = reverse(f"report-{kind}", args=[report.pk])
        told = client.get(address)
        assert told.status_code == 409
        assert WRONG["note"] in told.content.decode()
        assert client.get(address, {"as": "signed"}).status_code == 200
    row = Withholding.objects.get()
    assert OutgoingMessage.objects.filter(kind=MessageKind.WITHHELD, about=row.pk).exists()
    page = client.get(report.visit.get_absolute_url()).content.decode()
    assert WRONG["note"] in page
    assert "Release again" in page

    signed_addendum(report, dermatologist, words="Come again in two weeks.")
    client.post(at("visit-release-again", report))

    assert "Come again in two weeks." in patient.get(at("my-visit", report)).content.decode()
    row.refresh_from_db()
    assert row.ended_by == dermatologist
    page = " ".join(client.get(report.visit.get_absolute_url()).content.decode().split())
    assert "was_withheld" in codes(page)
    assert WRONG["note"] in page, "that it was withheld stays in the record"
    assert OutgoingMessage.objects.filter(kind=MessageKind.REPORT, about=row.pk).exists()
    with pytest.raises(IntegrityError, match="withholding_is_append_only"), transaction.atomic():
        Withholding.objects.filter(pk=row.pk).update(note="All was well all the time.")


NO_NOTE, NO_REASON = "Explain in a sentence what is wrong", "Choose what is being checked."


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({}, NO_REASON),
        ({**WRONG, "note": "x"}, NO_NOTE),
        ({**WRONG, "note": ""}, NO_NOTE),
        ({**WRONG, "reason": ""}, NO_REASON),
        ({**WRONG, "reason": "none"}, NO_REASON),
    ],
)
def test_it_is_withheld_for_a_reason(sign_in, report, dermatologist, sent, asked):
    client = sign_in(dermatologist)
    form = client.get(report.visit.get_absolute_url()).content.decode()
    assert re.search(r'<option value=""[^>]*selected', form), "no reason is preselected"
    page = client.post(at("visit-withhold", report), sent, follow=True).content.decode()
    assert asked in page
    assert not Withholding.objects.exists()


@pytest.mark.parametrize(
    ("account", "before", "after", "again"),
    [
        (
            "with an address",
            "an e-mail tells them that it is being checked",
            "is waiting to be sent",
            "immediately and is notified by e-mail",
        ),
        (
            "without an address",
            "no e-mail address, so no e-mail is sent: tell them",
            "no e-mail address, so no e-mail is sent: tell them that it is being checked",
            "no e-mail address, so no e-mail is sent: tell them",
        ),
        (
            "none",
            "no account, so no e-mail is sent",
            "no account, so no e-mail is sent. If they were given the report, tell them",
            "no account, so no e-mail is sent: hand them the report",
        ),
    ],
)
def test_what_is_said_of_mail_is_true(
    sign_in, report, dermatologist, patient, patient_user, account, before, after, again
):
    if account == "without an address":
        type(patient_user).objects.filter(pk=patient_user.pk).update(email="")
    elif account == "none":
        type(patient).objects.filter(pk=patient.pk).update(user=None)
    client, url = sign_in(dermatologist), report.visit.get_absolute_url()
    assert before in client.get(url).content.decode()
    page = client.post(at("visit-withhold", report), WRONG, follow=True).content.decode()
    assert after in page
    assert again in page
    assert ("notified by e-mail" in page) == OutgoingMessage.objects.exists() == (account == "with an address")


def test_only_what_the_patient_can_read_is_withheld_by_a_dermatologist_of_the_clinic(
    sign_in, patient, dermatologist, staff, stranger, report
):
    for member in (staff, stranger):
        with pytest.raises(PermissionDenied):
            withhold_report(report=report, by=member, **WRONG)
    kept = signed_report(answered(patient).visit, dermatologist)
    page = sign_in(dermatologist).post(at("visit-withhold", kept), WRONG, follow=True).content.decode()
    assert "not_released" in codes(page)
    assert not Withholding.objects.exists()


def test_a_withheld_report_is_not_listed_as_released_and_well(sign_in, report, dermatologist):
    withhold_report(report=report, by=dermatologist, **WRONG)
    for address in (reverse("visits"), report.visit.patient.get_absolute_url()):
        page = sign_in(dermatologist).get(address).content.decode()
        assert "Withheld from the patient" in page
        assert f'badge-calm">{VisitStatus.RELEASED.label}' not in page


# --- No plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["x", "xxxxxxxxxxxxxxxxxx", "-----------", "no", "1234567890123"])
def test_why_there_is_no_plan_is_a_sentence(sign_in, patient, dermatologist, reason):
    image = named(answered(patient), dermatologist, "mel")
    client, url = sign_in(dermatologist), reverse("visit-sign", args=[image.visit_id])
    seen = client.get(url).context["form"]["seen"].value()
    refused = client.post(url, {"plan": "", "seen": seen, "no_plan_reason": reason})
    assert refused.status_code == 422
    assert "in a sentence" in refused.content.decode()
    assert not Report.objects.exists()


@pytest.mark.parametrize("plan", ["None", "no", "N/A.", "nil", "x", "tbd", "No plan yet.", "pending", "Later"])
def test_a_word_that_says_there_is_none_is_no_plan(sign_in, patient, dermatologist, plan):
    image = named(answered(patient), dermatologist, "merkel")
    client, url = sign_in(dermatologist), reverse("visit-sign", args=[image.visit_id])
    seen = client.get(url).context["form"]["seen"].value()
    assert client.post(url, {"plan": plan, "seen": seen, "no_plan_reason": ""}).status_code == 422
    assert not Report.objects.exists()


def test_why_there_is_no_plan_is_for_the_clinic(sign_in, patient, dermatologist, patient_user):
    patient.clinic.phone = "030 1234"
    patient.clinic.save()
    image = named(answered(patient, verdict="blurred"), dermatologist, "mel")
    factories.ImageFactory(lesion__patient=patient, visit=image.visit, verdict="blurred")
    report = signed_report(image.visit, dermatologist, released=True)
    assert report.no_plan_reason == "Treated elsewhere."
    client = sign_in(patient_user)
    page = " ".join(client.get(at("my-visit", report)).content.decode().split())
    data = client.get(reverse("report-json", args=[report.pk])).content.decode()
    assert wording("No plan was written down. Ask your clinic what happens next and when: call 030 1234.") in page
    assert wording("Your clinic’s plan says") not in page
    assert "comes first" in page
    assert "Treated elsewhere" not in page + data
    assert "no_plan_reason" not in json.loads(data)["visit"]
    assert "Treated elsewhere." in sign_in(dermatologist).get(report.visit.get_absolute_url()).content.decode()
    with pytest.raises(IntegrityError, match="no_plan_reason_is_frozen"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(no_plan_reason="Another reason altogether.")


# --- The same file under another patient -----------------------------------------------------------------------------


def test_a_file_that_another_patient_has_too_is_confirmed_before_signing_and_before_release(
    sign_in, clinic, patient, dermatologist
):
    image = answered(patient, visit__plan="Rest.", sha256="c" * 64)
    answered(factories.PatientFactory(clinic=clinic), sha256="c" * 64)
    client, url = sign_in(dermatologist), reverse("visit-sign", args=[image.visit_id])
    page = client.get(url)
    assert f'value="{image.pk}"' in page.content.decode()
    seen = page.context["form"]["seen"].value()
    refused = client.post(url, {"plan": "Rest.", "seen": seen})
    assert refused.status_code == 422
    assert "same_file_unchecked" in codes(refused.content.decode())
    assert not Report.objects.exists()

    report = signed_report(image.visit, dermatologist)
    page = client.post(at("visit-release", report), follow=True).content.decode()
    assert "same_file_unchecked" in codes(page)
    assert f'value="{image.pk}"' in page
    client.post(at("visit-release", report), {"checked": [str(image.pk)]})
    report.refresh_from_db()
    assert report.released_at is not None


@pytest.mark.slow
def test_who_has_confirmed_whose_photograph_it_is_signs(sign_in, clinic, patient, dermatologist):
    image = answered(patient, sha256="c" * 64)
    answered(factories.PatientFactory(clinic=clinic), sha256="c" * 64)
    client, url = sign_in(dermatologist), reverse("visit-sign", args=[image.visit_id])
    page = client.get(url)
    form = {"plan": "Rest.", "seen": page.context["form"]["seen"].value(), **chosen_steps(page)}
    client.post(url, {**form, "checked": [str(image.pk)], "release": "on"})
    assert Report.objects.get().released_at is not None


# --- Messages are correct --------------------------------------------------------------------------------------------


def shown(response) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


def send_addendum(client, report, words: str = "Come again in two weeks.") -> str:
    address = at("visit-addendum", report)
    seen = client.get(address).context["form"]["seen"].value()
    sent = {"words": words, "seen": seen, "replaces_plan": "yes"}
    return shown(client.post(address, sent, follow=True))


@pytest.mark.slow
def test_who_adds_to_a_withheld_report_is_not_told_that_the_patient_reads_it(
    sign_in, report, dermatologist, patient_user
):
    client = sign_in(dermatologist)
    withhold_report(report=report, by=dermatologist, **WRONG)
    told = send_addendum(client, report)
    assert report.addenda.exists()
    assert "withheld" in codes(told)
    assert "patient_reads_now" not in codes(told)
    assert sign_in(patient_user).get(at("my-visit", report)).status_code == 403
    client.post(at("visit-release-again", report))
    assert "patient_reads_now" in codes(send_addendum(client, report, "Sooner if it bleeds."))


@pytest.mark.slow
@pytest.mark.parametrize("is_released", [True, False])
def test_who_adds_to_a_report_that_shows_another_patient_is_told_that_nobody_reads_it(
    sign_in, patient, dermatologist, patient_user, is_released
):
    image = answered(patient)
    report = signed_report(image.visit, dermatologist, released=is_released)
    exclude_image(image=image, by=dermatologist, reason="other_patient")
    OutgoingMessage.objects.all().delete()
    told = send_addendum(sign_in(dermatologist), report)
    assert report.addenda.exists()
    assert "shows_other_patient" in codes(told)
    assert not {"patient_reads_now", "patient_reads_once_released"} & {*codes(told)}
    assert not OutgoingMessage.objects.exists(), "nobody is mailed of what they cannot read"


def test_a_photograph_that_goes_or_comes_is_not_given_as_the_reason_for_another(
    sign_in, patient, dermatologist, patient_user
):
    first = answered(patient)
    second = answered(patient, lesion=first.lesion, visit=first.visit)
    signed_report(first.visit, dermatologist, released=True)
    exclude_image(image=first, by=dermatologist, reason="other_patient")
    client = sign_in(dermatologist)
    aside = client.post(reverse("image-exclude", args=[second.pk]), {"reason": "unfit"}, follow=True)
    assert "photograph_excluded" in codes(aside)
    assert not [code for code in codes(aside) if code.startswith("patient_")]
    back = shown(client.post(reverse("image-undo-exclusion", args=[second.pk]), follow=True))
    assert "still_shows_other_patient" in codes(back)
    exclude_image(image=second, by=dermatologist, reason="other_patient")
    back = shown(client.post(reverse("image-undo-exclusion", args=[second.pk]), follow=True))
    assert "still_shows_other_patient" in codes(back)
    assert "withheld_until_released_again" not in codes(back)


def test_what_is_withheld_is_not_called_read_or_released(sign_in, report, dermatologist):
    client = sign_in(dermatologist)
    image = report.visit.images.get()
    named(image, dermatologist, "mel")
    before = shown(client.get(image.get_absolute_url()))
    assert "released" in codes(before)
    assert "patient_reads_it" in codes(client.get(report.visit.get_absolute_url()))

    withhold_report(report=report, by=dermatologist, **WRONG)

    shown_at_image = codes(client.get(image.get_absolute_url()))
    assert "withheld" in shown_at_image
    assert "released" not in shown_at_image
    for address in (report.visit.get_absolute_url(), f"{reverse('report-pdf', args=[report.pk])}"):
        page = shown(client.get(address))
        assert "patient_reads_it" not in codes(page)
        assert "report_withheld" in codes(page)
    for address in (
        report.visit.get_absolute_url(),
        report.visit.patient.get_absolute_url(),
        reverse("visits"),
        reverse("admin:patients_visit_changelist"),
    ):
        page = client.get(address).content.decode()
        rows = page.split("<tbody")[-1].split("</tbody")[0]  # beside a list one may ask for what is released
        assert "withheld" in codes(rows)
        assert not re.search(r">\s*Released to the patient\s*<", rows)


def test_who_adds_to_a_withheld_report_is_not_told_that_the_patient_reads_it_at_once(sign_in, report, dermatologist):
    client, at_once = sign_in(dermatologist), "the patient reads the addendum as soon as you sign it"
    assert at_once in client.get(at("visit-addendum", report)).content.decode()
    withhold_report(report=report, by=dermatologist, **WRONG)
    page = client.get(at("visit-addendum", report)).content.decode()
    assert at_once not in page
    assert "withheld" in codes(page)
