"""Setting the clock back does not extend anything that expires."""

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
from tests.hooks import codes

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


def test_a_reauthentication_in_the_future_is_not_accepted(signed_in, set_back):
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert signed_in.get("/accounts/2fa/totp/activate/").status_code == 200
    set_back(timedelta(minutes=4))
    assert signed_in.get("/accounts/2fa/totp/activate/").status_code == 200, "machines' clocks may differ this much"
    set_back()
    assert "reauthenticate" in signed_in.get("/accounts/2fa/totp/activate/")["Location"]
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert signed_in.get("/accounts/2fa/totp/activate/").status_code == 200


def test_a_half_finished_sign_in_expires(client, staff, set_back):
    TOTP.activate(staff.user, generate_totp_secret())
    client.post("/accounts/login/", {"login": staff.user.username, "password": PASSWORD})
    assert client.get("/accounts/2fa/authenticate/").status_code == 200
    set_back()
    assert client.get("/accounts/2fa/authenticate/")["Location"] == "/accounts/login/"


def test_a_session_does_not_outlast_its_maximum_age(signed_in, set_back, settings):
    set_back(timedelta(days=365))
    assert signed_in.get("/patients/").status_code == 200
    longest = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    assert Session.objects.get().expire_date <= timezone.now() + longest


def test_a_link_from_the_future_does_not_work(client, staff, set_back):
    path = set_password_path(staff.user)
    assert client.get(path).status_code == 302
    set_back()
    assert "link_no_longer_works" in codes(client.get(path, follow=True).content.decode())
    set_back(timedelta(minutes=4))
    assert client.get(path).status_code == 302


def test_cache_files_expire(settings, tmp_path, set_back):
    settings.CACHES = {"default": {"BACKEND": "dermascan.file_cache.FileCache", "LOCATION": str(tmp_path)}}
    cache.set("resting", True, timeout=60)
    assert cache.get("resting")
    (file,) = tmp_path.iterdir()
    ahead = time.time() + WRONG.total_seconds()
    os.utime(file, (ahead, ahead))
    assert cache.add("resting", True, timeout=60), "an entry written before the clock was set back has expired"
    assert cache.get("resting")
