"""Where the clock is set back, nothing that lasts for minutes, hours or days lasts longer."""

import os
import time
from datetime import datetime, timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from patients.link_tokens import LinkTokens
from patients.services.password_links import set_password_path
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

WRONG = timedelta(hours=1)


@pytest.fixture
def set_back(monkeypatch):
    """Return a function that sets the clock back, for Django and for allauth."""
    right, seconds = timezone.now, time.time

    def _set_back(by: timedelta = WRONG) -> None:
        monkeypatch.setattr(timezone, "now", lambda: right() - by)
        monkeypatch.setattr(time, "time", lambda: seconds() - by.total_seconds())
        monkeypatch.setattr(LinkTokens, "_now", lambda _self: datetime.now() - by)

    return _set_back


@pytest.fixture
def signed_in(staff) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": staff.user.username, "password": PASSWORD})
    return client


def test_a_password_given_at_a_time_that_has_not_come_is_asked_for_again(signed_in, set_back):
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert signed_in.get("/accounts/2fa/totp/activate/").status_code == 200
    set_back(timedelta(minutes=4))
    assert signed_in.get("/accounts/2fa/totp/activate/").status_code == 200, "two machines' clocks may differ so much"
    set_back()
    assert "reauthenticate" in signed_in.get("/accounts/2fa/totp/activate/")["Location"]
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert signed_in.get("/accounts/2fa/totp/activate/").status_code == 200


def test_half_a_sign_in_does_not_wait_for_its_code_for_ever(client, staff, set_back):
    TOTP.activate(staff.user, generate_totp_secret())
    client.post("/accounts/login/", {"login": staff.user.username, "password": PASSWORD})
    assert client.get("/accounts/2fa/authenticate/").status_code == 200
    set_back()
    assert client.get("/accounts/2fa/authenticate/")["Location"] == "/accounts/login/"


def test_a_session_ends_when_it_would_have(signed_in, set_back, settings):
    set_back(timedelta(days=365))
    assert signed_in.get("/patients/").status_code == 200
    longest = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    assert Session.objects.get().expire_date <= timezone.now() + longest


def test_a_link_made_at_a_time_that_has_not_come_opens_no_account(client, staff, set_back):
    path = set_password_path(staff.user)
    assert client.get(path).status_code == 302
    set_back()
    assert "no longer works" in client.get(path, follow=True).content.decode()
    set_back(timedelta(minutes=4))
    assert client.get(path).status_code == 302


def test_files_of_the_cache_do_not_outlast_their_time(settings, tmp_path, set_back):
    settings.CACHES = {"default": {"BACKEND": "dermascan.file_cache.FileCache", "LOCATION": str(tmp_path)}}
    cache.set("resting", True, timeout=60)
    assert cache.get("resting")
    (file,) = tmp_path.iterdir()
    ahead = time.time() + WRONG.total_seconds()
    os.utime(file, (ahead, ahead))
    assert cache.add("resting", True, timeout=60), "what was written before the clock was set back is over"
    assert cache.get("resting")
