"""E-mails to a patient about something new to read, and what they must not contain."""

import pytest
from django.urls import reverse

from dermascan.core.site import site_link
from diagnosis.assessment.exclusions import exclude_image, undo_exclusion
from diagnosis.reports.addenda import sign_addendum
from diagnosis.reports.services import release_report
from diagnosis.reports.withholding import release_again
from patients.models import OutgoingMessage
from patients.outbox import deliver_due
from patients.services import close_patient_account
from tests.diagnosis.reporting import MELANOMA, confirm, photographed_visit, signed_addendum, signed_report
from tests.hooks import codes, wording


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Come back in two weeks.")


@pytest.fixture
def report(visit, dermatologist):
    return signed_report(visit, dermatologist)


def test_a_release_is_told_without_saying_what_it_says(
    sign_in, visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        page = sign_in(dermatologist).post(reverse("visit-release", args=[visit.pk]), follow=True)
    assert "mail_waiting" in codes(page.content.decode())
    (mail,) = mailoutbox
    assert mail.to == [patient_user.email]
    assert visit.patient.clinic.name in mail.subject
    assert site_link(reverse("my-visits")) in mail.body
    sent = mail.subject + mail.body
    patient = visit.patient
    for secret in (patient.family_name, patient.given_name, patient.record_number, str(visit.date.year), visit.plan):
        assert secret not in sent
    assert "elanoma" not in sent


@pytest.mark.slow
def test_an_addendum_is_told_once_the_report_is_released(
    visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        sign_addendum(report=report, by=dermatologist, words="Before.")
    assert not mailoutbox, "a patient who cannot read the report is not told that something was added"
    release_report(report=report, by=dermatologist)
    report.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        sign_addendum(report=report, by=dermatologist, words="A secret finding.")
    (mail,) = mailoutbox
    assert wording("added something to a report") in mail.body
    assert site_link(reverse("my-visits")) in mail.body
    assert "secret" not in mail.body


def test_who_cannot_be_mailed_is_told_of_to_the_dermatologist(
    sign_in, visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    patient_user.email = ""
    patient_user.save()
    with django_capture_on_commit_callbacks(execute=True):
        page = sign_in(dermatologist).post(reverse("visit-release", args=[visit.pk]), follow=True)
    assert "patient_no_address" in codes(page.content.decode())
    assert not mailoutbox


def test_nobody_is_mailed_who_cannot_read_it(report, dermatologist, patient_user, mailoutbox):
    release_report(report=report, by=dermatologist)
    patient_user.is_active = False
    patient_user.save()
    deliver_due()
    assert not mailoutbox
    assert OutgoingMessage.objects.get().state == "cancelled"


def test_a_notice_goes_to_the_address_that_the_account_has_by_then(report, dermatologist, patient_user, mailoutbox):
    release_report(report=report, by=dermatologist)
    patient_user.email = "new@clinic.example"
    patient_user.save()
    deliver_due()
    assert [mail.to for mail in mailoutbox] == [["new@clinic.example"]]
    assert OutgoingMessage.objects.get().address == "new@clinic.example"


def test_what_is_withheld_is_told_too(
    sign_in, visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    release_report(report=report, by=dermatologist)
    image = visit.images.get()
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(dermatologist).post(
            reverse("image-exclude", args=[image.pk]), {"reason": "other_patient", "note": "Not theirs."}
        )
    (mail,) = mailoutbox
    assert mail.to == [patient_user.email]
    assert "Not theirs" not in mail.body
    assert OutgoingMessage.objects.get(state="sent").kind == "withheld"


@pytest.mark.parametrize("is_released_again", [False, True])
def test_a_withholding_is_told_until_the_report_is_released_again(
    is_released_again, visit, report, dermatologist, patient_user, mailoutbox
):
    release_report(report=report, by=dermatologist)
    OutgoingMessage.objects.all().delete()  # the news of the release
    image = visit.images.get()
    exclude_image(image=image, by=dermatologist, reason="other_patient")
    undo_exclusion(image=image, by=dermatologist)
    if is_released_again:
        release_again(report=report, by=dermatologist)
    deliver_due()
    (mail,) = mailoutbox
    assert (wording("is checking a report") in mail.body) != is_released_again
    assert OutgoingMessage.objects.get(kind="withheld").state == ("cancelled" if is_released_again else "sent")


def test_a_clinics_name_adds_no_header(report, dermatologist, patient_user, mailoutbox):
    clinic = report.visit.patient.clinic
    clinic.name = "Skin\nBcc: thief@example.org"
    clinic.save()
    release_report(report=report, by=dermatologist)
    deliver_due()
    (mail,) = mailoutbox
    assert "\n" not in mail.subject
    assert mail.recipients() == [patient_user.email]


def test_a_refused_address_is_shown_where_it_was_released(
    sign_in, visit, report, dermatologist, patient_user, mail_server, django_capture_on_commit_callbacks
):
    mail_server.replies["RCPT"] = "550 No such user <b>here</b>"
    client = sign_in(dermatologist)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("visit-release", args=[visit.pk]))
    page = client.get(reverse("visit", args=[visit.pk])).content.decode()
    assert "mail_undelivered" in codes(page)
    assert "550 No such user &lt;b&gt;here&lt;/b&gt;" in page

    del mail_server.replies["RCPT"]
    row = OutgoingMessage.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("message-again", args=[row.pk]))
    row.refresh_from_db()
    assert row.state == "sent"
    assert [address for address, _body in mail_server.taken] == [patient_user.email]


def test_what_was_refused_by_an_account_that_is_closed_now_is_not_sent_again(
    sign_in, visit, report, dermatologist, patient_user, mail_server
):
    mail_server.replies["RCPT"] = "550 No such user"
    release_report(report=report, by=dermatologist)
    deliver_due()
    close_patient_account(patient=visit.patient, by=dermatologist, reason="wrong_address")
    page = sign_in(dermatologist).get(reverse("visit", args=[visit.pk])).text
    assert "550 No such user" in page
    assert "account_closed_since" in codes(page)
    row = OutgoingMessage.objects.get()
    assert reverse("message-again", args=[row.pk]) not in page
    assert sign_in(dermatologist).post(reverse("message-again", args=[row.pk])).status_code == 404
    assert not mail_server.taken


def test_whoever_withholds_a_report_is_told_whether_the_patient_hears_of_it(
    sign_in, visit, report, dermatologist, patient_user
):
    release_report(report=report, by=dermatologist)
    client, image = sign_in(dermatologist), visit.images.get()
    address, why = reverse("image-exclude", args=[image.pk]), {"reason": "other_patient", "note": "Hers."}
    assert "patient_mail" in codes(client.post(address, why, follow=True).text)
    undo_exclusion(image=image, by=dermatologist)
    patient_user.email = ""
    patient_user.save()
    assert "patient_no_address" in codes(client.post(address, why, follow=True).text)


def test_another_clinic_does_not_send_again(sign_in, stranger, report, dermatologist, patient_user):
    release_report(report=report, by=dermatologist)
    row = OutgoingMessage.objects.get()
    assert sign_in(stranger).post(reverse("message-again", args=[row.pk])).status_code == 404


# --- An outdated report is not released ------------------------------------------------------------------------------


def test_a_report_that_reviews_contradict_is_released_only_with_an_addendum(
    sign_in, visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    confirm(visit, dermatologist, code="mel")
    client, release = sign_in(dermatologist), reverse("visit-release", args=[visit.pk])
    assert release not in client.get(reverse("visit", args=[visit.pk])).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(release, follow=True).content.decode()
    assert "reviews_say_otherwise" in codes(page)
    report.refresh_from_db()
    visit.refresh_from_db()
    assert (report.released_at, visit.status) == (None, "signed")
    assert not mailoutbox

    signed_addendum(report, dermatologist)
    assert release in client.get(reverse("visit", args=[visit.pk])).content.decode()
    assert "report_released" in codes(client.post(release, follow=True).content.decode())
