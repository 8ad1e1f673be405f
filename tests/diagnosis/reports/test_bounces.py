"""An address that e-mails come back from is said wherever one would be sent, and is corrected from there."""

import pytest
from django.urls import reverse

from diagnosis.followup.bounces import bouncing_addresses
from diagnosis.followup.models import ReminderStop
from diagnosis.followup.reminder_choices import resume_reminders, stop_reminders
from diagnosis.reports.notices import Reach, notices_of, reach_of
from diagnosis.reports.services import release_report
from diagnosis.reports.withholding import withhold_report
from patients.models import Patient
from patients.outbox import deliver_due
from tests.diagnosis.outcomes.records import photographed
from tests.diagnosis.reporting import signed_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def reachable(patient, patient_user):
    """The patient, whose account has another address than the record."""
    patient.user, patient.email = patient_user, "amara@home.example"
    patient.save()
    return patient


@pytest.fixture
def report(reachable, dermatologist):
    return signed_report(photographed(reachable, 3).images.get().visit, dermatologist)


def fresh(patient):
    return Patient.objects.select_related("user").get(pk=patient.pk)


def test_either_address_is_noted_and_nothing_else(sign_in, reachable, staff):
    client, address = sign_in(staff), reverse("reminders-stop", args=[reachable.pk])
    page = client.get(reachable.get_absolute_url())
    assert page.text.count('name="which"') == 2
    for which in ("record", "account"):
        client.post(address, {"reason": "bounces", "which": which})
    assert bouncing_addresses(fresh(reachable)) == ["amara@home.example", reachable.user.email]
    client.post(address, {"reason": "bounces", "which": "stranger@elsewhere.example"})
    client.post(address, {"reason": "bounces", "which": "x" * 300 + "\0"})
    assert ReminderStop.objects.count() == 2


def test_no_release_notice_goes_to_an_address_that_bounces(sign_in, reachable, report, dermatologist, mail_server):
    stop_reminders(patient=reachable, by=dermatologist, reason="bounces", address=reachable.user.email)
    assert reach_of(fresh(reachable)) is Reach.BOUNCES
    client = sign_in(dermatologist)
    before = client.get(report.visit.get_absolute_url())
    assert before.context["reach"] == "bounces"
    assert reverse("patient-edit", args=[reachable.pk]) in before.text
    assert reachable.user.email in before.text
    released = client.post(reverse("visit-release", args=[report.visit_id]), {"seen": ""}, follow=True)
    report.refresh_from_db()
    assert report.released_at is not None
    assert "come back" in released.text
    assert not notices_of(report).exists()
    withhold_report(report=report, by=dermatologist, reason="details", note="It is being checked again.")
    deliver_due()
    assert mail_server.taken == []


def test_a_notice_that_waits_is_not_sent_once_its_address_is_known_to_bounce(
    reachable, report, dermatologist, mail_server
):
    release_report(report=report, by=dermatologist)
    assert notices_of(report).count() == 1
    stop_reminders(patient=reachable, by=dermatologist, reason="bounces", address=reachable.user.email)
    deliver_due()
    assert mail_server.taken == []


def test_a_corrected_address_is_written_to(reachable, report, dermatologist, mail_server):
    stop_reminders(patient=reachable, by=dermatologist, reason="bounces", address=reachable.user.email)
    reachable.user.email = "right@home.example"
    reachable.user.save()
    release_report(report=report, by=dermatologist)
    deliver_due()
    assert [address for address, _text in mail_server.taken] == ["right@home.example"]


def test_it_is_written_to_again_when_the_clinic_says_so(reachable, staff):
    stop_reminders(patient=reachable, by=staff, reason="bounces", address=reachable.user.email)
    assert resume_reminders(patient=reachable, by=staff) == 1
    assert reach_of(fresh(reachable)) is Reach.MAIL


def test_the_page_of_the_account_says_so(sign_in, reachable, staff):
    stop_reminders(patient=reachable, by=staff, reason="bounces", address=reachable.user.email)
    page = sign_in(staff).get(reverse("patient-account", args=[reachable.pk]))
    assert page.status_code == 200
    assert "come back" in page.text
