"""Closing a patient's account that went to the wrong person, and deactivating a member."""

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from diagnosis.reports.notices import notify_of_release
from patients.models import AccountClosure, OutgoingMessage, Patient, User
from patients.outbox import deliver_due
from patients.services import NoAccount, close_patient_account, give_patient_account
from tests import factories
from tests.diagnosis.reporting import MELANOMA, photographed_visit, signed_report
from tests.hooks import codes
from tests.mails import password_link
from tests.page_forms import token_of

pytestmark = pytest.mark.django_db
PASSWORD = "a sunny day in Harare"


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


@pytest.fixture
def close(client, patient):
    def _close(**changes):
        patient.refresh_from_db()
        typed = {"account": patient.user_id or 0, "reason": "wrong_address", "note": "A letter was missing."}
        return client.post(reverse("patient-account-close", args=[patient.pk]), typed | changes)

    return _close


def invite(client, patient, email="stranger@example.com") -> str:
    client.post(reverse("patient-account", args=[patient.pk]), {"email": email})
    deliver_due()
    return password_link()


def choose_password(link: str) -> Client:
    browser = Client()
    page = browser.get(link, follow=True)
    browser.post(page.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    return browser


def correct_details(client, patient, email: str) -> str:
    """Change the e-mail address in the patient's details and return the patient's page."""
    address = reverse("patient-edit", args=[patient.pk])
    form = client.get(address).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | token_of(client, address) | {"email": email}
    return client.post(address, typed, follow=True).content.decode()


def test_closing_invalidates_the_link_and_is_recorded(client, patient, staff, close):
    link = invite(client, patient)
    account = User.objects.get(patient=patient)
    assert close().url == reverse("patient", args=[patient.pk])

    closure = AccountClosure.objects.get()
    assert (closure.patient, closure.user, closure.address) == (patient, account, "stranger@example.com")
    assert (closure.reason, closure.note, closure.closed_by) == ("wrong_address", "A letter was missing.", staff)
    choose_password(link)
    assert not Client().login(username=account.username, password=PASSWORD)
    account.refresh_from_db()
    assert (account.is_active, account.email) == (False, "")
    page = client.get(reverse("patient", args=[patient.pk])).text
    assert "closed_wrong_address" in codes(page)
    assert staff.name in page


def test_closing_ends_all_sessions_permanently(client, patient, close):
    invited = choose_password(invite(client, patient))
    account = User.objects.get(patient=patient)
    stranger, reset = Client(), Client()
    assert stranger.login(username=account.username, password=PASSWORD)
    assert stranger.get(reverse("my-visits")).status_code == 200
    reset.post(reverse("account_reset_password"), {"email": account.email})
    deliver_due()
    link = password_link()
    form = reset.get(link, follow=True).request["PATH_INFO"]

    close()
    for browser in (stranger, invited):
        assert browser.get(reverse("my-visits"))["Location"].startswith(reverse("account_login"))
    reset.post(form, {"password1": "another long password", "password2": "another long password"})
    User.objects.filter(pk=account.pk).update(is_active=True)  # even if the account is reactivated later
    assert stranger.get(reverse("my-visits"))["Location"].startswith(reverse("account_login"))
    for password in (PASSWORD, "another long password"):
        assert not Client().login(username=account.username, password=password)


def test_the_wrong_address_gets_no_more_mail(client, patient, dermatologist, close):
    invite(client, patient)
    patient.refresh_from_db()
    report = signed_report(photographed_visit(patient, MELANOMA), dermatologist)
    notify_of_release(report=report)
    close()
    assert OutgoingMessage.objects.get(kind="report").state == "cancelled"
    mail.outbox.clear()
    Client().post(reverse("account_reset_password"), {"email": "stranger@example.com"})
    deliver_due()
    assert not any("/key/" in sent.body for sent in mail.outbox)


def test_a_waiting_invitation_is_not_sent(client, patient, close):
    client.post(reverse("patient-account", args=[patient.pk]), {"email": "stranger@example.com"})
    close()
    deliver_due()
    assert mail.outbox == []
    assert OutgoingMessage.objects.get().state == "cancelled"


def test_correcting_the_address_cancels_messages_to_the_wrong_one(client, patient):
    address = reverse("patient-account", args=[patient.pk])
    client.post(address, {"email": "typo@example.com"})
    client.post(address, {"email": "amara@example.com", **token_of(client, address)})
    deliver_due()
    assert [sent.to for sent in mail.outbox] == [["amara@example.com"]]


def test_correcting_the_address_in_the_details_stops_mail_to_the_wrong_one_too(client, patient, dermatologist):
    Patient.objects.filter(pk=patient.pk).update(email="typo@example.com")
    link = invite(client, patient, "typo@example.com")
    client.post(reverse("patient-account", args=[patient.pk]), {"email": "typo@example.com"})
    mail.outbox.clear()
    page = correct_details(client, patient, "amara@example.com")
    assert "account_without_address" in codes(page)
    signed_report(photographed_visit(patient, MELANOMA), dermatologist, released=True)
    deliver_due()

    assert mail.outbox == []
    choose_password(link)
    patient.refresh_from_db()
    assert not patient.user.has_usable_password()
    account = reverse("patient-account", args=[patient.pk])
    assert client.get(account).context["form"]["email"].value() == "amara@example.com"
    client.post(account, {"email": "amara@example.com", **token_of(client, account)})
    deliver_due()
    assert [sent.to for sent in mail.outbox] == [["amara@example.com"]]


def test_correcting_the_address_does_not_change_an_account_in_use(client, patient):
    choose_password(invite(client, patient, "amara@example.com"))
    Patient.objects.filter(pk=patient.pk).update(email="amara@example.com")
    correct_details(client, patient, "new@example.com")
    patient.refresh_from_db()
    assert (patient.email, patient.user.email) == ("new@example.com", "amara@example.com")
    assert patient.user.has_usable_password()


def test_a_new_account_can_be_created_and_reads_released_reports(client, patient, dermatologist, close):
    first = choose_password(invite(client, patient))
    signed_report(photographed_visit(patient, MELANOMA), dermatologist, released=True)
    close()
    patient.refresh_from_db()
    patient.email = "stranger@example.com"
    patient.save()
    address = reverse("patient-account", args=[patient.pk])
    assert "stranger@example.com" not in client.get(address).text.split('name="email"')[1].split(">")[0]
    refused = client.post(address, {"email": "Stranger@example.com"})
    assert refused.status_code == 200
    assert "address_known_wrong" in codes(refused.text)

    choose_password(invite(client, patient, "amara@example.com"))
    patient.refresh_from_db()
    own = Client()
    assert own.login(username=patient.user.username, password=PASSWORD)
    assert own.get(reverse("my-visits")).status_code == 200
    assert first.get(reverse("my-visits")).status_code == 302


def test_an_address_recorded_as_wrong_can_be_confirmed(client, patient, close):
    invite(client, patient, "amara@example.com")
    close()
    client.post(reverse("patient-account", args=[patient.pk]), {"email": "amara@example.com", "is_right": "on"})
    patient.refresh_from_db()
    assert patient.user.email == "amara@example.com"


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "boredom"}, {"reason": "other", "note": " "}, {"account": "x"}]
)
def test_without_a_reason_nothing_is_closed(client, patient, close, wrong):
    invite(client, patient)
    response = close(**wrong)
    assert response.status_code == 200
    assert "error-summary" in response.text
    patient.refresh_from_db()
    assert patient.user is not None


def test_a_stale_form_does_not_close_a_newer_account(client, patient, staff, close):
    invite(client, patient)
    patient.refresh_from_db()
    old = patient.user_id
    close()
    give_patient_account(patient=patient, by=staff, email="amara@example.com")
    close(account=old)
    patient.refresh_from_db()
    assert patient.user is not None
    assert AccountClosure.objects.count() == 1


def test_another_clinic_closes_nothing(sign_in, stranger, patient, patient_user):
    address = reverse("patient-account-close", args=[patient.pk])
    assert sign_in(stranger).post(address, {"account": patient_user.pk, "reason": "asked"}).status_code == 404
    patient.refresh_from_db()
    assert patient.user == patient_user


def test_a_member_who_is_a_patient_stays_a_member(patient, staff):
    patient.user = staff.user
    patient.save()
    close_patient_account(patient=patient, by=staff, reason="asked")
    staff.user.refresh_from_db()
    assert staff.user.is_active
    with pytest.raises(NoAccount):
        close_patient_account(patient=patient, by=staff, reason="asked")


@pytest.mark.parametrize("values", [{"reason": "boredom"}, {"reason": "other", "note": ""}])
def test_the_database_requires_a_reason(patient, patient_user, staff, values):
    with pytest.raises(IntegrityError, match="closure_"), transaction.atomic():
        AccountClosure.objects.create(patient=patient, user=patient_user, closed_by=staff, **values)


def test_the_record_is_append_only(patient, patient_user, staff):
    closure = close_patient_account(patient=patient, by=staff, reason="asked")
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        AccountClosure.objects.filter(pk=closure.pk).update(note="Something else.")


@pytest.mark.parametrize("door", ["clinic", "operator"])
def test_sessions_of_a_deactivated_member_do_not_survive_reactivation(sign_in, manager, staff, admin_client, door):
    working = sign_in(staff)
    waiting = factories.OutgoingMessageFactory(user=staff.user)
    assert working.get(reverse("patients")).status_code == 200
    if door == "clinic":
        details = {"role": staff.role, "email": staff.user.email, "first_name": "A", "last_name": "B"}
        client, address = sign_in(manager), reverse("admin:patients_member_change", args=[staff.pk])
        client.post(address, {**details, **token_of(client, address)})
    else:
        staff.user.is_active = False
        staff.user.save()
    staff.user.refresh_from_db()
    assert not staff.user.is_active
    User.objects.filter(pk=staff.user_id).update(is_active=True)
    assert working.get(reverse("patients")).url.startswith(reverse("account_login"))
    waiting.refresh_from_db()
    assert waiting.state == "cancelled"
