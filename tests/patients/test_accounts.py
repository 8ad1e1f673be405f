"""A patient's account, from its creation by the clinic to the patient's first sign-in."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from patients.models import OutgoingMessage, User
from patients.outbox import deliver_due
from patients.services import AccountRefused, AnotherClinic, give_patient_account
from tests import factories
from tests.hooks import coded, codes, wording
from tests.mails import password_link
from tests.page_forms import token_of

PASSWORD = "a sunny day in Harare"


@pytest.fixture
def address(patient):
    return reverse("patient-account", args=[patient.pk])


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


def mailed_link() -> str:
    deliver_due()
    return password_link()


def choose_password(link: str, password: str) -> None:
    browser = Client()
    page = browser.get(link, follow=True)
    browser.post(page.request["PATH_INFO"], {"password1": password, "password2": password})


def test_the_patient_chooses_a_password_and_signs_in(client, patient, address):
    response = client.post(address, {"email": "amara@example.com"})
    assert response.url == reverse("patient", args=[patient.pk])
    patient.refresh_from_db()
    assert patient.user.email == "amara@example.com"
    assert not patient.user.has_usable_password()
    assert not patient.user.is_staff
    link = mailed_link()
    assert mail.outbox[-1].to == ["amara@example.com"]
    assert patient.clinic.name in mail.outbox[-1].subject
    assert patient.user.username in mail.outbox[-1].body

    choose_password(link, PASSWORD)
    assert Client().login(username=patient.user.username, password=PASSWORD)

    choose_password(link, "another long password")
    assert not Client().login(username=patient.user.username, password="another long password")


def text_of(response) -> str:
    return " ".join(response.text.split())


@pytest.mark.parametrize("who", ["patient", "member"])
def test_a_first_password_is_not_called_a_change(sign_in, manager, client, patient, address, who):
    """From the invitation to the first signed-in page, no text suggests that there was a password before."""
    if who == "patient":
        client.post(address, {"email": "amara@example.com"})
    else:
        details = {
            "username": "tendai",
            "first_name": "T",
            "last_name": "M",
            "email": "t@example.com",
            "role": "staff",
        }
        sign_in(manager).post(reverse("admin:patients_member_add"), details)
    browser, link = Client(), mailed_link()
    invitation = str(mail.outbox[-1].body)
    assert wording("has created an account for you") in invitation
    assert (wording("read the reports of your visits") in invitation) == (who == "patient")

    form = browser.get(link, follow=True)
    account = User.objects.latest("date_joined")
    assert "first_password" in codes(form)
    assert wording(f"{patient.clinic.name} has created this account for you") in text_of(form)
    assert f'value="{account.username}"' in form.text
    done = browser.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    text = text_of(done)
    assert "account_ready" in codes(done)
    assert account.username in text
    assert (wording("read the reports") in text) == (who == "patient")
    assert "hange" not in done.text[done.text.index("<main") :], "there was no password before to change"
    assert f'href="{reverse("account_login")}"' in done.text
    start = browser.post(reverse("account_login"), {"login": account.username, "password": PASSWORD}, follow=True)
    assert start.request["PATH_INFO"] == reverse("my-visits" if who == "patient" else "today")

    again = Client().get(link, follow=True)
    assert "link_no_longer_works" in codes(again)
    assert reverse("account_reset_password") in again.text


def test_a_user_with_a_password_chooses_a_new_one(client, patient, address):
    client.post(address, {"email": "amara@example.com"})
    choose_password(mailed_link(), PASSWORD)
    client.post(address, token_of(client, address))  # the clinic mails another link
    browser, link = Client(), mailed_link()
    message = f"{mail.outbox[-1].subject} {mail.outbox[-1].body}"
    assert wording("A new password for your DermaScan account") in message
    assert wording("an account for you") not in message
    form = browser.get(link, follow=True)
    assert "new_password" in codes(form.text)
    assert "Welcome" not in form.text
    new = "another long password"
    done = browser.post(form.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert "password_changed" in codes(done.text)


def test_a_reset_request_without_a_password_yet_does_not_mention_a_new_one(client, patient, address):
    client.post(address, {"email": "amara@example.com"})
    Client().post(reverse("account_reset_password"), {"email": "amara@example.com"})
    link = mailed_link()
    message = f"{mail.outbox[-1].subject} {mail.outbox[-1].body}"
    assert wording("It has none yet.") in message
    assert "new password" not in message
    assert "first_password" in codes(Client().get(link, follow=True).text)


def test_an_account_without_an_address_can_be_given_one(client, patient, patient_user, address):
    patient_user.email = ""
    patient_user.save()
    client.post(address, {"email": "amara@example.com"} | token_of(client, address))
    patient_user.refresh_from_db()
    assert patient_user.email == "amara@example.com"
    assert patient_user.check_password(factories.PASSWORD)
    client.post(address, {"email": "thief@example.com"} | token_of(client, address))
    patient_user.refresh_from_db()
    assert patient_user.email == "amara@example.com"
    assert client.get(address).context["form"].fields["email"].disabled


def test_an_undelivered_link_is_shown_until_the_patient_signs_in(client, patient, patient_user, address, mail_server):
    mail_server.replies["RCPT"] = "550 No such user"
    Client().post(reverse("account_reset_password"), {"email": patient_user.email})
    deliver_due()
    page = client.get(reverse("patient", args=[patient.pk]))
    assert "link_undelivered" in codes(page)
    assert "550 No such user" in page.text
    assert Client().login(username=patient_user.username, password=factories.PASSWORD)
    assert "550 No such user" not in client.get(reverse("patient", args=[patient.pk])).text


def test_the_page_offers_the_address_on_record(client, patient, address):
    patient.email = "amara@example.com"
    patient.save()
    assert 'value="amara@example.com"' in client.get(address).text


@pytest.mark.parametrize("email", ["", "nobody", "a\0@example.com", "x" * 250 + "@example.com"])
def test_an_invalid_address_creates_no_account(client, patient, address, email):
    response = client.post(address, {"email": email})
    assert response.status_code == 200
    assert "error-summary" in response.text
    patient.refresh_from_db()
    assert patient.user is None
    assert mail.outbox == []


def test_the_address_of_a_colleague_is_refused(client, dermatologist, patient, address):
    response = client.post(address, {"email": dermatologist.user.email.upper()})
    assert "address_in_use" in codes(response.text)
    assert mail.outbox == []


def test_accounts_of_another_clinic_are_not_revealed(client, stranger, patient, address):
    assert client.post(address, {"email": stranger.user.email}).status_code == 302
    patient.refresh_from_db()
    assert patient.user != stranger.user


def test_a_wrong_address_can_be_corrected_until_a_password_was_chosen(client, patient, address):
    client.post(address, {"email": "typo@example.com"})
    lost = mailed_link()
    client.post(address, {"email": "amara@example.com"} | token_of(client, address))
    patient.refresh_from_db()
    assert patient.user.email == "amara@example.com"
    assert User.objects.filter(patient=patient).count() == 1

    choose_password(lost, PASSWORD)
    assert not Client().login(username=patient.user.username, password=PASSWORD)
    choose_password(mailed_link(), PASSWORD)
    client.post(address, {"email": "thief@example.com"})
    deliver_due()
    patient.refresh_from_db()
    assert patient.user.email == "amara@example.com"
    assert mail.outbox[-1].to == ["amara@example.com"]


def test_two_of_the_same_name_get_different_user_names(staff):
    patients = [factories.PatientFactory(clinic=staff.clinic, given_name="Zoë", family_name="Öz") for _ in range(3)]
    names = [
        give_patient_account(patient=patient, by=staff, email=f"{number}@example.com").username
        for number, patient in enumerate(patients)
    ]
    assert names == ["zoe.oz", "zoe.oz2", "zoe.oz3"]


def test_a_name_without_latin_letters_gets_a_default_user_name(staff):
    patient = factories.PatientFactory(clinic=staff.clinic, given_name="李", family_name="雷")
    assert give_patient_account(patient=patient, by=staff, email="li@example.com").username == "patient"


def test_a_taken_user_name_is_refused(staff, patient):
    with pytest.raises(AccountRefused) as refused:
        give_patient_account(patient=patient, by=staff, email="a@example.com", username=staff.user.username.upper())
    assert refused.value.field == "username"


def test_an_unreachable_mail_server_is_reported_and_the_message_waits(client, patient, address, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    response = client.post(address, {"email": "amara@example.com"}, follow=True)
    assert "waiting to be sent" in response.text
    deliver_due()
    shown = coded(client.get(address), "link_waiting")
    assert "amara@example.com" in shown
    assert "1" in shown
    row = OutgoingMessage.objects.get()
    assert (row.state, row.body, row.subject) == ("waiting", "", ""), "no link is stored in the database"


def test_a_clinic_name_adds_no_header(staff, patient):
    patient.clinic.name = "North\nBcc: everybody@example.com"
    patient.clinic.save()
    give_patient_account(patient=patient, by=staff, email="a@example.com")
    deliver_due()
    assert "Bcc" not in mail.outbox[-1].message()


def test_another_clinic_gives_no_account(sign_in, stranger, patient, address):
    client = sign_in(stranger)
    assert client.get(address).status_code == 404
    assert client.post(address, {"email": "a@example.com"}).status_code == 404
    with pytest.raises(AnotherClinic):
        give_patient_account(patient=patient, by=stranger, email="a@example.com")
    assert mail.outbox == []


ADDRESSES = ["patients", "patient-new", "patient-edit", "patient-account", "visits", "visit-new", "lesion-new"]


@pytest.mark.parametrize("name", ADDRESSES)
class TestAccess:
    def at(self, name, patient):
        needs_patient = name not in ("patients", "patient-new", "visits")
        return reverse(name, args=[patient.pk] if needs_patient else [])

    def test_visitors_go_to_sign_in(self, name, patient):
        assert Client().get(self.at(name, patient))["Location"].startswith(reverse("account_login"))

    def test_patients_are_refused(self, name, sign_in, patient, patient_user):
        assert sign_in(patient_user).get(self.at(name, patient)).status_code == 403

    @pytest.mark.parametrize("role", ["staff", "dermatologist", "manager"])
    def test_members_are_allowed(self, name, role, sign_in, patient, request):
        assert sign_in(request.getfixturevalue(role)).get(self.at(name, patient)).status_code == 200

    def test_deactivated_members_lose_access_at_once(self, name, sign_in, patient, staff):
        client = sign_in(staff)
        assert client.get(self.at(name, patient)).status_code == 200
        User.objects.filter(pk=staff.user_id).update(is_active=False)
        assert client.get(self.at(name, patient)).url.startswith(reverse("account_login"))
        assert not Client().login(username=staff.user.username, password=factories.PASSWORD)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "nobody@clinic.example"])
def test_a_failed_sign_in_has_one_message_for_every_cause(name):
    page = Client().post(reverse("account_login"), {"login": name, "password": "wrong"}).content.decode()
    assert wording("The user name, e-mail address or password is wrong.") in page
