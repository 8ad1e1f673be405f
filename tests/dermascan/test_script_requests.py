"""Scripts get a problem document where people see an error page."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings as configured
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from diagnosis.images.models import Image
from diagnosis.retraining.models import TrainingRun
from mlmodel.pictures.picture_errors import MAX_BYTES
from mlmodel.versions.serving import active_version
from patients.models import Patient, Role
from tests import factories
from tests.api.helpers import assert_problem
from tests.dermascan.pages import assert_in_our_frame
from tests.permissions.addresses import ADDRESSES

pytestmark = pytest.mark.django_db

# Headers by which script requests are recognised.
SCRIPTS = {
    "htmx": {"HX-Request": "true"},
    "json": {"Accept": "application/json"},
    "problem": {"Accept": "application/problem+json, application/json;q=0.9, */*;q=0.1"},
    "xhr": {"X-Requested-With": "XMLHttpRequest"},
    "fetch": {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
}
PEOPLE = {
    "browser": {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"},
    "curl": {"Accept": "*/*"},
    "nothing": {},
}


@pytest.fixture
def image(patient):
    return factories.ImageFactory(lesion__patient=patient)


@pytest.fixture
def doors(image, dermatologist):
    """Every URL that our scripts request, with the method."""
    run = TrainingRun.objects.create(parent=active_version())
    return {
        ("POST", reverse("upload", args=[image.visit_id])),
        ("GET", reverse("patients") + "?q=oka"),
        ("GET", reverse("image-similar", args=[image.pk])),
        ("GET", reverse("image-explanation", args=[image.pk])),
        ("GET", reverse("admin:retraining-run", args=[run.pk])),
        ("POST", reverse("admin:review-photograph", args=[image.pk])),
        ("POST", reverse("image-review", args=[image.pk])),
        ("GET", reverse("session")),
    }


def ask(client, method, address, headers):
    if method == "GET":
        return client.get(address, headers=headers)
    return client.post(address, {"files": SimpleUploadedFile("a.jpg", b"-")}, headers=headers)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_door_reports_that_the_user_is_signed_out(doors, script):
    for method, address in doors:
        response = ask(Client(), method, address, SCRIPTS[script])
        problem = assert_problem(response, 401, "not-authenticated")
        assert problem["sign_in"] == "/accounts/login/"
        assert response["WWW-Authenticate"].startswith("Session")
        assert "no-store" in response["Cache-Control"]
    assert not Image.objects.exclude(original_name="sample.jpg").exists()


@pytest.mark.parametrize("script", ["htmx", "json"])
def test_no_url_redirects_a_script_to_the_sign_in_page(script):
    """URLs without an id; the others have the same guards."""
    for address in ADDRESSES:
        if "<" in address.route or "(" in address.route or not address.name:
            continue
        response = Client().get("/" + address.route, headers=SCRIPTS[script])
        assert response.status_code != 302 or "/login" not in response["Location"], address


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_the_second_factor_a_user_is_signed_out(staff, doors, script):
    client = Client()
    TOTP.activate(staff.user, generate_totp_secret())
    response = client.post("/accounts/login/", {"login": staff.user.username, "password": factories.PASSWORD})
    assert response["Location"].startswith(reverse("mfa_authenticate"))
    for method, address in doors:
        problem = assert_problem(ask(client, method, address, SCRIPTS[script]), 401, "not-authenticated")
        assert problem["sign_in"] == "/accounts/login/"
    assert not Image.objects.exclude(original_name="sample.jpg").exists()


@pytest.mark.parametrize("person", PEOPLE)
def test_people_are_redirected_to_sign_in(doors, person):
    for method, address in doors - {("GET", reverse("session"))}:
        response = ask(Client(), method, address, PEOPLE[person])
        assert response.status_code == 302
        assert "/login/?next=" in response["Location"]


@pytest.mark.parametrize(
    ("form", "page"),
    [("visit-preview", "visit-sign"), ("visit-release", "visit"), ("visit-edit", "visit-edit")],
)
def test_people_who_sent_a_form_come_back_to_its_page(form, page, image):
    action, back = reverse(form, args=[image.visit_id]), reverse(page, args=[image.visit_id])
    for path, query in ((back, ""), (back, "?tab=2")):
        response = Client().post(action, headers={"Referer": f"http://testserver{path}{query}"})
        assert response["Location"] == "/accounts/login/?" + urlencode({"next": path + query})
    response = Client().post(action, headers={"Referer": f"https://evil.example{back}"})
    assert response["Location"] == f"/accounts/login/?next={action}"


def test_a_post_only_url_has_a_page_that_says_so(image, dermatologist, sign_in):
    for name, key in (("visit-preview", image.visit_id), ("image-review", image.pk)):
        response = sign_in(dermatologist).get(reverse(name, args=[key]))
        assert response.status_code == 405
        assert "There is no page here" in assert_in_our_frame(response)
        problem = sign_in(dermatologist).get(reverse(name, args=[key]), headers={"Accept": "application/json"})
        assert_problem(problem, 405, "method-not-allowed")
        assert problem["Allow"] == "POST"


def test_signing_in_returns_to_the_page():
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/patients/?q=oka&page=2"}
    problem = Client().get("/patients/", headers=headers).json()
    assert problem["sign_in"] == "/accounts/login/?next=%2Fpatients%2F%3Fq%3Doka%26page%3D2"
    headers["HX-Current-URL"] = "https://evil.example/patients/"
    assert Client().get("/patients/", headers=headers).json()["sign_in"] == "/accounts/login/"


def ended_by_leaving(member):
    member.delete()


def ended_by_another_role(member):
    member.role = Role.MANAGER
    member.save()


@pytest.mark.parametrize("end", [ended_by_leaving, ended_by_another_role])
def test_a_user_who_lost_their_role_is_refused_with_the_reason(dermatologist, sign_in, patient, end):
    image = factories.ImageFactory(lesion__patient=patient, lesion__created_by=patient.created_by)
    client = sign_in(dermatologist)
    end(dermatologist)
    response = client.post(reverse("image-review", args=[image.pk]), {}, headers=SCRIPTS["json"])
    problem = assert_problem(response, 403, "permission-denied")
    assert problem["detail"].startswith("This page is for")


def test_the_admin_refuses_users_without_access(staff, sign_in):
    response = sign_in(staff).get(reverse("admin:retraining"), headers=SCRIPTS["htmx"])
    assert_problem(response, 403, "permission-denied")


@pytest.mark.parametrize(
    "change", [{"password": make_password("another one, chosen elsewhere")}, {"is_active": False}]
)
def test_a_session_that_was_ended_elsewhere(staff, sign_in, change):
    client = sign_in(staff)
    assert client.get("/session/").json()["user"] == str(staff.user.pk)
    type(staff.user).objects.filter(pk=staff.user.pk).update(**change)
    assert_problem(client.get("/patients/", headers=SCRIPTS["htmx"]), 401, "not-authenticated")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_token_that_is_out_of_date(staff, image, script):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff.user)
    for address in (reverse("upload", args=[image.visit_id]), reverse("image-scale", args=[image.pk])):
        response = ask(client, "POST", address, SCRIPTS[script])
        assert_problem(response, 403, "form-out-of-date")


def test_the_session_gives_a_token_that_works(staff, patient):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff.user)
    token = client.get("/session/").json()["csrf_token"]
    form = {"body_site": "face", "side": "left", "csrfmiddlewaretoken": token}
    assert client.post(f"/patients/{patient.pk}/lesions/new/", form).status_code == 302
    assert Patient.objects.get(pk=patient.pk).lesions.count() == 1


def test_too_large(staff, sign_in, image, settings):
    settings.UPLOAD_MAX_REQUEST_BYTES = 10
    response = ask(sign_in(staff), "POST", reverse("upload", args=[image.visit_id]), SCRIPTS["json"])
    assert_problem(response, 413, "too-large")
    photograph = SimpleUploadedFile("a.jpg", bytes(MAX_BYTES + 100_000))
    response = Client().post("/quick-check/", {"file": photograph}, headers=SCRIPTS["fetch"])
    assert_problem(response, 413, "too-large")


def test_too_often(settings):
    data = {"name": "A", "email": "a@clinic.example", "message": "B"}
    responses = [Client().post("/contact/", data, headers=SCRIPTS["fetch"]) for _ in range(30)]
    problem = assert_problem(responses[-1], 429, "throttled")
    assert problem["retry_after"] == int(responses[-1]["Retry-After"]) > 0


@pytest.mark.urls("tests.dermascan.broken_urls")
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(("status", "code"), [(400, "malformed"), (403, "permission-denied"), (500, "server-error")])
def test_any_failure(script, status, code):
    client = Client(raise_request_exception=False)
    problem = assert_problem(client.get(f"/fails/{status}/", headers=SCRIPTS[script]), status, code)
    assert "secret" not in str(problem)
    page = client.get(f"/fails/{status}/", headers=PEOPLE["browser"])
    assert page["Content-Type"].startswith("text/html")


def test_a_form_with_errors_is_still_shown_by_htmx(dermatologist, sign_in, image):
    factories.PredictionFactory(image=image)
    address = reverse("image-review", args=[image.pk])
    shown = sign_in(dermatologist).post(address, {}, headers=SCRIPTS["htmx"])
    assert (shown.status_code, shown["Content-Type"]) == (422, "text/html; charset=utf-8")
    assert_problem(sign_in(dermatologist).post(address, {}, headers=SCRIPTS["json"]), 422, "invalid")


def test_every_script_that_sends_requests_is_tested():
    """Add a new one to ``doors``. It must treat every response without an id as “not saved”."""
    scripts = {
        path.name
        for path in Path(configured.BASE_DIR, "static", "js").glob("*.js")
        if re.search(r"\bfetch\(|XMLHttpRequest|sendBeacon|EventSource|WebSocket", path.read_text())
    }
    assert scripts == {"diagnosis-upload.js", "session.js", "upload-choices.js"}
