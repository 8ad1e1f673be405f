"""Attacks by visitors, and the responses to them."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from diagnosis.images.models import Image
from patients.models import User
from tests.conftest import PHOTOGRAPHS
from tests.diagnosis.photographing import kept
from tests.factories import LesionFactory, VisitFactory


def test_users_cannot_change_their_own_address(sign_in, patient_user, manager):
    client = sign_in(patient_user)
    before = patient_user.email

    answers = [
        client.post("/accounts/email/", {"email": manager.user.email, action: ""})
        for action in ("action_add", "action_primary", "action_send", "action_remove")
    ]

    assert [answer.status_code for answer in answers] == [405] * 4
    assert User.objects.get(pk=patient_user.pk).email == before
    assert before in client.get("/accounts/email/").content.decode()


@pytest.mark.parametrize("page", ["patient", "visit", "lesion", "image", "patients", "start"])
def test_pages_of_members_are_not_cached(sign_in, staff, patient, page):
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    image: Image = kept(visit, lesion, staff, (PHOTOGRAPHS / "ISIC_0024322.jpg").read_bytes())
    keys = {"patient": [patient.pk], "visit": [visit.pk], "lesion": [lesion.pk], "image": [image.pk]}

    answer = sign_in(staff).get(reverse(page, args=keys.get(page, [])))

    assert "no-store" in answer["Cache-Control"]


def test_a_quick_check_is_not_cached_either(client, db):
    with (PHOTOGRAPHS / "ISIC_0024322.jpg").open("rb") as file:
        answer = client.post("/quick-check/", {"file": file})

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


def test_public_pages_may_be_cached(client, db):
    assert "no-store" not in client.get("/about/").get("Cache-Control", "")


def test_too_many_password_resets_are_a_429(client, db):
    statuses = {
        client.post("/accounts/password/reset/", {"email": f"someone{n}@clinic.example"}).status_code
        for n in range(40)
    }

    assert statuses == {302, 429}
    assert mail.outbox == [] or all("clinic.example" in to for sent in mail.outbox for to in sent.to)


@pytest.mark.parametrize("address", ["/contact/", "/accounts/login/", "/quick-check/"])
def test_a_form_with_another_charset_is_handled_like_any_other(db, address):
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32

    answer = client.generic(
        "POST",
        address,
        b"abc",
        content_type="application/x-www-form-urlencoded; charset=utf-16",
        headers={"X-CSRFToken": "a" * 32},
    )

    # A wrong CSRF token, an empty form or an unknown account: never a 500.
    assert answer.status_code in (200, 400, 403)


@pytest.mark.parametrize("where", ["//[::1", "//[", "http://[", "https://elsewhere.example/"])
@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/password/reset/", "/accounts/logout/"])
def test_a_broken_or_foreign_next_is_ignored(client, db, address, where):
    answer = client.get(address, {"next": where})

    assert answer.status_code in (200, 302)
    assert where not in answer.get("Location", "")


def test_the_api_docs_allow_only_reading(client, db):
    assert client.options("/api/docs/").status_code == 405
    assert client.get("/api/docs/").status_code == 200
