"""Links in e-mails and files start with SITE_URL, whatever the request's host."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import checks, mail
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from environ import Env

from dermascan.checks import check_site_url
from dermascan.settings.addresses import local_url, public_url, site_name, site_url
from diagnosis.followup.reminder_choices import choose_reminders
from diagnosis.followup.reminders import queue_reminders
from diagnosis.monitoring.incidents import open_incident
from diagnosis.monitoring.models import IncidentKind
from diagnosis.monitoring.notifications import WebhookCall, incident_call
from diagnosis.opinions.services import OutsideDoctor, answer_request, ask_for_opinion
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import deliver_due
from tests import factories
from tests.api.helpers import PREDICT, upload
from tests.diagnosis.outcomes.records import confirmed
from tests.diagnosis.outcomes.records import sent as specimen_sent
from tests.diagnosis.reporting import MELANOMA, confirm, photographed_visit, signed_report
from tests.mails import addresses_in
from tests.page_forms import filled_in

FORGED = {"host": "thief.example", "x-forwarded-host": "thief.example", "x-forwarded-proto": "http"}
SOURCES = [path for app in ("dermascan", "patients", "diagnosis") for path in Path(app).rglob("*.py")]


@pytest.fixture
def forged(settings):
    """Clients that send another host, with settings that allow it."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://skin.hospital.example:8443"
    settings.SITE_NAME = "Hospital Skin Desk"
    settings.WATCH_EMAIL = settings.OPERATOR_EMAIL = "operator@hospital.example"

    def _forged(who=None) -> Client:
        client = Client(headers=FORGED)
        if who is not None:
            client.force_login(getattr(who, "user", who))
        return client

    return _forged


@pytest.mark.django_db
def test_no_mail_contains_the_request_host(forged, clinic, patient, staff, dermatologist, manager, settings):
    visit = photographed_visit(patient, MELANOMA, plan="Come back.")
    confirm(visit, dermatologist, "bcc")
    visitor, doctor = forged(), forged(dermatologist)

    forged(staff).post(reverse("patient-account", args=[patient.pk]), {"email": "amara@example.com"})
    account = {"username": "tendai", "first_name": "T", "last_name": "M", "email": "t@hospital.example"}
    add = reverse("admin:patients_member_add")
    forged(manager).post(add, {**account, "role": "staff"})
    for address in (staff.user.email, "amara@example.com", "nobody@hospital.example"):
        visitor.post(reverse("account_reset_password"), {"email": address})
    visitor.post(reverse("contact"), {"name": "A", "email": "a@hospital.example", "message": "Hello"})
    patient.refresh_from_db()
    signed_report(visit, dermatologist)
    doctor.post(reverse("visit-release", args=[visit.pk]))
    addendum = reverse("visit-addendum", args=[visit.pk])
    doctor.post(addendum, filled_in(doctor, addendum, "words", words="The laboratory has answered."))
    confirmed(specimen_sent(visit.images.get().lesion, dermatologist, age=0), dermatologist)
    request, _code = ask_for_opinion(
        lesion=visit.images.get().lesion,
        by=dermatologist,
        of=OutsideDoctor("Dr Ines Prado", "prado@hospital.example"),
        images=[visit.images.get()],
        question="What is it?",
        days=7,
    )
    choose_reminders(by=manager, is_on=True, days_before=14, days_after=7, seen=0)
    factories.LesionPlanFactory(lesion=factories.LesionFactory(patient=patient), due_on=timezone.localdate())
    queue_reminders()
    deliver_due()  # before the report is withheld
    answer_request(request=request, answer="bcc", certainty="certain")
    exclusion = {"reason": "other_patient", "note": "It is of the next patient in the room."}
    doctor.post(reverse("image-exclude", args=[visit.images.get().pk]), exclusion)
    open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="They differ.")
    deliver_due()

    sent = OutgoingMessage.objects.filter(state="sent").values_list("kind", flat=True)
    assert set(sent) == set(MessageKind) - {MessageKind.INCIDENT_CALL}, "every kind that is a mail"
    assert len(mail.outbox) == len(sent)
    linked = 0
    for message in mail.outbox:
        text = f"{message.subject}\n{message.body}\n{message.from_email}\n{message.extra_headers}"
        assert "thief" not in text
        assert "127.0.0.1" not in text
        assert "example.com site" not in text
        for address in addresses_in(str(message.body)):
            assert address.startswith(settings.SITE_URL + "/"), message.body
            assert visitor.get(urlsplit(address).path, follow=True).status_code == 200
            linked += 1
    assert linked >= 8


@pytest.mark.django_db
def test_a_webhook_contains_no_url(clinic, settings):
    settings.WATCH_WEBHOOK = "http://127.0.0.1:1/hook"
    open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="They differ.")
    call = incident_call(OutgoingMessage.objects.get())
    assert isinstance(call, WebhookCall)
    assert not addresses_in(json.dumps(json.loads(call.body)))


@pytest.mark.django_db
def test_the_api_uses_the_site_url(forged, clinic, staff, patient, photograph):
    visit = factories.VisitFactory(patient=patient)
    lesion = factories.LesionFactory(patient=patient)
    client = Client(headers={**FORGED, "authorization": f"Token {factories.api_key(staff)}"})
    form = {"file": upload(photograph), "visit": str(visit.pk), "lesion": str(lesion.pk)}
    answer = client.post(PREDICT, form)
    body = answer.json()
    assert body["image"]["url"] == f"{settings.SITE_URL}/images/{body['image']['id']}/"
    assert "thief" not in answer.text


def test_any_mail_of_allauth_uses_the_site_url(forged, rf, db, staff):
    """Any template: a link that the library builds from the request's host is replaced."""
    from allauth.account.adapter import get_adapter
    from allauth.core import context

    request = rf.get("/", headers=FORGED)
    with context.request_context(request):
        for prefix in ("account_already_exists", "email_confirmation", "password_changed", "login_code"):
            addresses = dict.fromkeys(
                ("signup_url", "password_reset_url", "activate_url"), "http://thief.example/accounts/login/?next=/"
            )
            more = {"user": staff.user, "code": "1", "key": "k", "ip": "192.0.2.1", "user_agent": "x", **addresses}
            get_adapter().send_mail(f"account/email/{prefix}", staff.user.email, more)
    deliver_due()
    assert len(mail.outbox) == 4
    for message in mail.outbox:
        assert "thief" not in f"{message.subject}{message.body}"


def test_no_code_builds_absolute_urls_from_a_request():
    asks = re.compile(r"build_absolute_uri|get_current_site|get_raw_uri")
    assert len(SOURCES) > 200
    assert [str(path) for path in SOURCES if asks.search(path.read_text())] == []


# --- The setting -----------------------------------------------------------------------------------------------------


@pytest.fixture
def env(monkeypatch):
    def _env(**values: str) -> Env:
        for name in ("HOST", "PORT", "DERMASCAN_SITE_URL", "DERMASCAN_SITE_NAME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return Env()

    return _env


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"PORT": "8001"}, "http://127.0.0.1:8001"),
        ({"HOST": "0.0.0.0", "PORT": "9"}, "http://127.0.0.1:9"),
        ({"HOST": "::1"}, "http://[::1]:8000"),
        ({"HOST": "skin.lan"}, "http://skin.lan:8000"),
        ({"DERMASCAN_SITE_URL": "https://skin.example/"}, "https://skin.example"),
        ({"DERMASCAN_SITE_URL": "https://SKIN.example:8443"}, "https://skin.example:8443"),
    ],
)
def test_make_run_uses_its_own_address(env, values, address):
    environment = env(**values)
    assert site_url(environment, default=local_url(environment)) == address


@pytest.mark.parametrize(
    "address",
    [
        "skin.example",
        "ftp://skin.example",
        "https://skin.example/desk",
        "https://me:secret@skin.example",
        "https://skin.example?x=1",
        "https://skin.example\nBcc: x",
        "https://[skin",
        "https://skin.example:port",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_invalid_site_url_stops_the_start(env, address):
    with pytest.raises(ImproperlyConfigured, match="DERMASCAN_SITE_URL is"):
        site_url(env(DERMASCAN_SITE_URL=address))


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * 61])
def test_the_site_name_is_one_short_line(env, name):
    with pytest.raises(ImproperlyConfigured, match="DERMASCAN_SITE_NAME is"):
        site_name(env(DERMASCAN_SITE_NAME=name))


def test_without_the_setting_the_first_public_host_is_used():
    assert public_url(["localhost", "*", ".example", "skin.example", "b.example"]) == "https://skin.example"
    assert public_url(["*", "127.0.0.1"]) == ""


@pytest.mark.parametrize(
    ("is_set", "address", "found"),
    [
        (False, "https://skin.example", ["dermascan.W001"]),
        (True, "https://skin.example", []),
        (True, "https://SKIN.example:8443", []),
        (True, "http://skin.example", ["dermascan.W002"]),
        (True, "https://elsewhere.example", ["dermascan.E001"]),
        (False, "http://elsewhere.example", ["dermascan.W001", "dermascan.W002", "dermascan.E001"]),
    ],
)
def test_check_deploy_reports_missing_settings(settings, is_set, address, found):
    settings.SITE_URL_IS_SET, settings.SITE_URL, settings.ALLOWED_HOSTS = is_set, address, ["skin.example"]
    assert [message.id for message in check_site_url()] == found
    assert check_site_url in checks.registry.registry.deployment_checks


@pytest.mark.django_db
def test_pages_show_the_site_name(forged, client):
    for page in ("/", "/accounts/login/"):
        text = client.get(page).text
        assert re.search(r'class="brand".*?</svg>\s*Hospital Skin Desk</a>', text, re.DOTALL)
        assert re.search(r"<title>[^<]*Hospital Skin Desk\s*</title>", text)
