import re
from typing import Any

import pytest
from allauth.account import urls as account_urls
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client
from django.urls import get_resolver

from patients.models import User
from patients.outbox import deliver_due
from tests.dermascan.pages import assert_in_our_frame
from tests.factories import PASSWORD
from tests.hooks import codes
from tests.mails import password_link

pytestmark = pytest.mark.django_db


def sign_in_form(client: Client, login: str, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": login, "password": password})


def code_for(secret: str) -> str:
    return f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06}"


@pytest.fixture
def with_totp(staff) -> str:
    secret = generate_totp_secret()
    TOTP.activate(staff.user, secret)
    RecoveryCodes.activate(staff.user)
    return secret


def paths_of_allauth() -> list[str]:
    """Return every account URL without arguments."""
    addresses = []

    def walk(patterns: list[Any], prefix: str) -> None:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, prefix + str(pattern.pattern))
            else:
                addresses.append(prefix + str(pattern.pattern))

    walk([each for each in get_resolver().url_patterns if str(each.pattern) == "accounts/"], "/")
    return [path for path in addresses if "<" not in path and "^" not in path]


def test_all_account_addresses_are_found():
    assert len(paths_of_allauth()) >= len(account_urls.urlpatterns) - 2
    assert "/accounts/2fa/totp/activate/" in paths_of_allauth()


@pytest.mark.parametrize("has_totp", [False, True])
@pytest.mark.parametrize("signed_in", [False, True])
def test_every_account_page_uses_our_base_template(request, staff, signed_in, has_totp):
    if has_totp:
        request.getfixturevalue("with_totp")
    client = Client()
    if signed_in:
        sign_in_form(client, staff.user.username)
        if has_totp:
            secret = get_adapter().decrypt(Authenticator.objects.get(type="totp").data["secret"])
            client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
        assert "_auth_user_id" in client.session
        assert_in_our_frame(client.get("/accounts/reauthenticate/"))
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    addresses = set()
    for path in paths_of_allauth():
        response = client.get(path)
        assert response.status_code in {200, 302, 404}, path
        if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
            assert_in_our_frame(response)
            addresses.add(path)
    always = {"/accounts/password/reset/", "/accounts/inactive/"}
    assert addresses >= always | ({"/accounts/2fa/", "/accounts/email/"} if signed_in else {"/accounts/login/"})
    if signed_in:
        changes = "recovery-codes/generate/" if has_totp else "totp/activate/"
        assert f"/accounts/2fa/{changes}" in addresses


@pytest.mark.parametrize("kind", ["username", "email"])
def test_sign_in_with_user_name_or_address(client, staff, kind):
    response = sign_in_form(client, getattr(staff.user, kind))
    assert response.status_code == 302
    assert response["Location"] == "/start/"
    assert client.session["_auth_user_id"] == str(staff.user.pk)


def test_a_wrong_password_does_not_reveal_which_accounts_exist(client, staff):
    wrong = assert_in_our_frame(sign_in_form(client, staff.user.username, "wrong"))
    unknown = assert_in_our_frame(sign_in_form(client, "nobody", "wrong"))
    assert "error-summary" in wrong
    summary = re.compile(r'<div class="error-summary".*?</div>', re.DOTALL)
    assert summary.findall(wrong) == summary.findall(unknown) != []
    assert "_auth_user_id" not in client.session


def test_there_is_no_sign_up(client):
    page = assert_in_our_frame(client.get("/accounts/signup/"))
    assert "no_sign_up" in codes(page)
    client.post(
        "/accounts/signup/",
        {"username": "intruder", "email": "i@clinic.example", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert not User.objects.filter(username="intruder").exists()


def test_signing_out_needs_a_post(sign_in, staff):
    client = sign_in(staff)
    assert_in_our_frame(client.get("/accounts/logout/"))
    assert "_auth_user_id" in client.session
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_is_reset_by_a_link(client, staff):
    response = client.post("/accounts/password/reset/", {"email": staff.user.email}, follow=True)
    assert_in_our_frame(response)
    deliver_due()
    (sent,) = mail.outbox
    link = password_link(sent.body)
    form = client.get(link, follow=True)
    assert_in_our_frame(form)
    new = "a very different horse and staple"
    done = client.post(form.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert_in_our_frame(done)
    assert sign_in_form(Client(), staff.user.username, new).status_code == 302
    assert_in_our_frame(Client().get(link, follow=True))  # used up: says so


def test_a_password_is_changed(client, staff):
    sign_in_form(client, staff.user.username)
    short = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": "x", "password2": "x"})
    assert "field-error" in assert_in_our_frame(short)
    new = "a very different horse and staple"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    staff.user.refresh_from_db()
    assert staff.user.check_password(new)


def test_two_step_sign_in_is_set_up_and_then_asked_for(client, staff):
    sign_in_form(client, staff.user.username)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    form = client.get("/accounts/2fa/totp/activate/")
    page = assert_in_our_frame(form)
    secret = form.context["form"].secret
    assert secret in page
    assert "data:image/svg+xml" in page
    response = client.post("/accounts/2fa/totp/activate/", {"code": code_for(secret)}, follow=True)
    page = assert_in_our_frame(response)
    codes = re.findall(r"<li>([0-9a-z]{8,})</li>", page)
    assert len(codes) == 10

    again = Client()
    assert sign_in_form(again, staff.user.username)["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in again.session
    assert_in_our_frame(again.get("/accounts/2fa/authenticate/"))
    assert "error-summary" in assert_in_our_frame(again.post("/accounts/2fa/authenticate/", {"code": "000000"}))
    again.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert again.session["_auth_user_id"] == str(staff.user.pk)


def test_sensitive_pages_ask_for_the_password_again(sign_in, staff, with_totp):
    # sign_in records no password entry, as if it had been long ago.
    response = sign_in(staff).get("/accounts/2fa/recovery-codes/generate/", follow=True)
    assert_in_our_frame(response)
    assert "reauthenticate" in response.request["PATH_INFO"]
