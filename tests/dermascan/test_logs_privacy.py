"""A day at the clinic: no log line contains the patient's name, telephone, address or notes."""

import io
import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from diagnosis.images.models import Image
from diagnosis.reports.drafts import draft_report
from diagnosis.reports.services import release_report, sign_visit
from patients.models import OutgoingMessage, Patient, Visit
from patients.outbox import deliver, deliver_due
from tests import factories
from tests.api.helpers import BATCH, PREDICT, sample
from tests.diagnosis.photographing import blurred

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Strings that occur nowhere else.
NAME, GIVEN, PHONE, EMAIL, NUMBER = "Zwartveld", "Ximeen", "0199 777 4242", "qwixel@postbus.example", "MRN-77XQ"
MARKS = [NAME, GIVEN, PHONE, EMAIL, NUMBER, "qwixel"]
DETAILS = {
    "given_name": GIVEN,
    "family_name": NAME,
    "birth_date": "1961-03-14",
    "sex": "female",
    "record_number": NUMBER,
    "skin_type": "",
    "email": EMAIL,
    "phone": PHONE,
    "history": f"{NAME}, {PHONE}",
}


@pytest.fixture
def log():
    """The output of all loggers, down to DEBUG."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(logging.Formatter("{name} {levelname} {message} {args}", style="{"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield output
    root.removeHandler(handler)
    root.setLevel(level)


def assert_no_marks(log: io.StringIO) -> None:
    lines = log.getvalue().splitlines()
    assert [line[:300] for line in lines for mark in MARKS if mark.lower() in line.lower()] == []


def photograph(number=0, data=b""):
    return SimpleUploadedFile(f"{NAME} {PHONE}.jpg", data or sample(number), content_type="image/jpeg")


def test_at_the_desk(log, sign_in, staff, manager, mail_server):
    client = sign_in(staff)
    assert client.post("/patients/new/", DETAILS).status_code == 302
    patient = Patient.objects.get()
    client.post("/patients/new/", {**DETAILS, "record_number": ""})  # possible duplicate
    client.post("/patients/new/", DETAILS)  # the number is taken
    client.post("/patients/new/", {**DETAILS, "birth_date": f"{NAME}"})
    for headers in ({}, {"HX-Request": "true"}):
        for query in (NAME, EMAIL, PHONE, f"{GIVEN} {NAME}", f"{NAME}\0", f"{NAME}'"):
            client.get("/patients/", {"q": query}, headers=headers)
            sign_in(patient.created_by).get("/visits/", {"q": query}, headers=headers)
            Client().get("/patients/", {"q": query}, headers=headers)
    edit = reverse("patient-edit", args=[patient.pk])
    client.post(edit, {**DETAILS, "phone": PHONE + "1"})
    client.post(edit, {**DETAILS, "birth_date": NAME})
    superuser = factories.UserFactory(is_staff=True, is_superuser=True)
    for model in ("patient", "visit", "user", "outgoingmessage"):
        sign_in(superuser).get(f"/admin/patients/{model}/", {"q": NAME})
        sign_in(superuser).get(f"/admin/patients/{model}/", {NAME: EMAIL})
    mail_server.replies["RCPT"] = f"550 5.1.1 <{EMAIL}>: {GIVEN} {NAME} is not known here"
    client.post(reverse("patient-account", args=[patient.pk]), {"email": EMAIL})
    client.post(reverse("patient-account", args=[patient.pk]), {"email": f"{NAME}@"})
    deliver_due()
    for message in OutgoingMessage.objects.all():
        deliver(message.pk)
    for login in (EMAIL, NAME):
        Client().post("/accounts/login/", {"login": login, "password": NAME})
        Client().post("/accounts/login/", {"login": login, "password": NAME}, headers={"Accept": "application/json"})
        Client().post("/accounts/password/reset/", {"email": login})
    deliver_due()
    for email in (EMAIL, NAME):
        Client().post("/contact/", {"name": f"{GIVEN} {NAME}", "email": email, "message": PHONE})
    deliver_due()
    assert OutgoingMessage.objects.exists()
    assert mail_server.taken or OutgoingMessage.objects.filter(state="refused").exists()
    assert_no_marks(log)


def test_in_the_consulting_room(log, settings, tmp_path, sign_in, staff, dermatologist):
    settings.MEDIA_ROOT = tmp_path
    patient = factories.PatientFactory(
        clinic=staff.clinic, given_name=GIVEN, family_name=NAME, phone=PHONE, email=EMAIL, record_number=NUMBER
    )
    client, reader = sign_in(staff), sign_in(dermatologist)
    new_visit = {"date": "2025-06-03", "complaint": f"{NAME} bleeds", "notes": PHONE, "plan": f"Call {PHONE}."}
    client.post(reverse("visit-new", args=[patient.pk]), new_visit)
    visit = Visit.objects.first() or factories.VisitFactory(patient=patient, complaint=NAME, plan=PHONE)
    lesion = factories.LesionFactory(patient=patient, description=f"of {NAME}")
    upload = reverse("upload", args=[visit.pk])
    for headers in ({}, {"Accept": "application/json"}):
        for data in (b"", b"text", b"\xff\xd8\xff" + bytes(200), sample(0)[:9000]):
            client.post(upload, {"lesion": lesion.pk, "files": photograph(0, data)}, headers=headers)
        client.post(upload, {"lesion": NAME, "files": photograph()}, headers=headers)
    client.post(upload, {"lesion": lesion.pk, "files": photograph(0, blurred(sample(1)))})
    assert Image.objects.count() == 2
    api = Client(headers={"authorization": f"Token {factories.api_key(staff)}"})
    for form in ({"file": photograph(2)}, {"file": photograph(2), "lesion": NAME}, {NAME: EMAIL}):
        api.post(PREDICT, form, headers={"Idempotency-Key": NAME})
    api.post(BATCH, {"files": [photograph(0, b"text"), photograph(0, b"")], "lesion": lesion.pk})
    Client().post("/quick-check/", {"file": photograph(0, b"text")})
    image = Image.objects.earliest("created_at")
    review = {"answer": "mel", "certainty": "certain", "basis": "dermatoscopy", "reason": f"{NAME}, {PHONE}"}
    assert reader.post(reverse("image-review", args=[image.pk]), review).status_code < 400
    reader.post(reverse("image-review", args=[image.pk]), {**review, "answer": NAME})
    other = Image.objects.exclude(pk=image.pk).get()
    reader.post(reverse("image-override", args=[other.pk]), {"reason": NAME})
    reader.post(reverse("image-exclude", args=[other.pk]), {"reason": "other_patient", "note": NAME})
    pages = {"patient": patient.pk, "image": image.pk}
    for page in ("patient", "visit", "image", "visit-sign", "visit-preview"):
        assert reader.get(reverse(page, args=[pages.get(page, visit.pk)])).status_code < 500
    if not visit.plan:
        Visit.objects.filter(pk=visit.pk).update(plan=f"Call {PHONE}.")
        visit.refresh_from_db()
    report = sign_visit(visit=visit, by=dermatologist, seen=draft_report(visit=visit).fingerprint)
    release_report(report=report, by=dermatologist)
    deliver_due()
    image.original.delete(save=False)
    client.get(reverse("image-file", args=[image.pk, "original"]))
    reader.get(reverse("report-pdf", args=[report.pk]))
    assert_no_marks(log)
