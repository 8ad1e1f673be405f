"""What a patient is mailed when there is something new to read, and what never stands in such a mail."""

import pytest
from celery.exceptions import Retry
from django.urls import reverse

from diagnosis.services.addenda import sign_addendum
from diagnosis.services.notices import News, mail_news
from diagnosis.services.reports import release_report
from diagnosis.tasks import mail_patient_news

from .reporting import MELANOMA, confirm, photographed_visit, signed_addendum, signed_report

SITE = "https://dermascan.clinic.example/"


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
    assert "is told so by e-mail" in page.content.decode()
    (mail,) = mailoutbox
    assert mail.to == [patient_user.email]
    assert visit.patient.clinic.name in mail.subject
    assert "http://testserver" + reverse("my-visits") in mail.body
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
        sign_addendum(report=report, by=dermatologist, words="Before.", site=SITE)
    assert not mailoutbox, "a patient who cannot read the report is not told that something was added"
    release_report(report=report, by=dermatologist)
    report.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        sign_addendum(report=report, by=dermatologist, words="A secret finding.", site=SITE)
    (mail,) = mailoutbox
    assert "added something to a report" in mail.body
    assert SITE + reverse("my-visits").lstrip("/") in mail.body
    assert "secret" not in mail.body


def test_who_cannot_be_mailed_is_told_of_to_the_dermatologist(
    sign_in, visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    patient_user.email = ""
    patient_user.save()
    with django_capture_on_commit_callbacks(execute=True):
        page = sign_in(dermatologist).post(reverse("visit-release", args=[visit.pk]), follow=True)
    assert "no e-mail address: tell them" in page.content.decode()
    assert not mailoutbox


def test_nobody_is_mailed_of_what_is_not_released_or_is_gone(report, dermatologist, patient_user, mailoutbox):
    mail_news(report_id=report.pk, news=News.REPORT, site=SITE)
    release_report(report=report, by=dermatologist)
    patient_user.is_active = False
    patient_user.save()
    mail_news(report_id=report.pk, news=News.REPORT, site=SITE)
    assert not mailoutbox


def test_a_clinics_name_adds_no_header(report, dermatologist, patient_user, mailoutbox):
    clinic = report.visit.patient.clinic
    clinic.name = "Skin\nBcc: thief@example.org"
    clinic.save()
    release_report(report=report, by=dermatologist)
    mail_news(report_id=report.pk, news=News.REPORT, site=SITE)
    (mail,) = mailoutbox
    assert "\n" not in mail.subject
    assert mail.recipients() == [patient_user.email]


def test_a_mail_that_did_not_go_out_is_tried_again(report, dermatologist, patient_user, settings, mailoutbox):
    release_report(report=report, by=dermatologist)
    ordinary = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(Retry):
        mail_patient_news.apply(args=[str(report.pk), "report", SITE])
    settings.EMAIL_BACKEND = ordinary
    mail_patient_news.apply(args=[str(report.pk), "report", SITE])
    assert [mail.to for mail in mailoutbox] == [[patient_user.email]]


# --- What no longer holds is not released ----------------------------------------------------------------------------


def test_a_report_that_reviews_contradict_is_released_only_with_an_addendum(
    sign_in, visit, report, dermatologist, patient_user, mailoutbox, django_capture_on_commit_callbacks
):
    confirm(visit, dermatologist, code="mel")
    client, release = sign_in(dermatologist), reverse("visit-release", args=[visit.pk])
    assert release not in client.get(reverse("visit", args=[visit.pk])).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(release, follow=True).content.decode()
    assert "Add to the report what they must know, then release it." in page
    report.refresh_from_db()
    visit.refresh_from_db()
    assert (report.released_at, visit.status) == (None, "signed")
    assert not mailoutbox

    signed_addendum(report, dermatologist)
    assert release in client.get(reverse("visit", args=[visit.pk])).content.decode()
    assert "The patient can read it now" in client.post(release, follow=True).content.decode()
