"""Requests by monitoring on the same machine, with production settings."""

import pytest
from django.test import Client, override_settings

pytestmark = pytest.mark.django_db
PATHS = ["/metrics", "/api/v1/status/"]


@pytest.fixture(autouse=True)
def _as_in_production(settings, tmp_path):
    settings.ALLOWED_HOSTS = ["dermascan.clinic.example"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.PROXIES = 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "whatever.example", "under_score"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_allowed(path, host, peer):
    assert Client().get(path, HTTP_HOST=host, REMOTE_ADDR=peer).status_code == 200
    assert Client().head(path, HTTP_HOST=host, REMOTE_ADDR=peer).status_code == 200


@override_settings(ALLOWED_HOSTS=[".clinic.example"])
def test_a_host_with_a_leading_dot_works_too():
    assert Client().get("/metrics", HTTP_HOST="127.0.0.1:8000").status_code == 200


THROUGH_THE_PROXY = [
    {"HTTP_X_FORWARDED_FOR": "203.0.113.9"},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    {"HTTP_X_FORWARDED_FOR": ""},
    {"HTTP_FORWARDED": "for=127.0.0.1"},
    {"HTTP_X_REAL_IP": "127.0.0.1"},
    {"HTTP_VIA": "1.1 proxy"},
]


@pytest.mark.parametrize("headers", THROUGH_THE_PROXY)
@pytest.mark.parametrize("path", PATHS)
def test_through_the_proxy_nothing_changes(path, headers):
    assert Client().get(path, HTTP_HOST="127.0.0.1:8000", **headers).status_code == 400
    name = "dermascan.clinic.example"
    assert Client().get(path, HTTP_HOST=name, **headers).status_code == 301
    over_https = Client().get(path, HTTP_HOST=name, HTTP_X_FORWARDED_PROTO="https", **headers)
    assert over_https.status_code == (403 if path == "/metrics" else 200)


@pytest.mark.parametrize("path", PATHS)
def test_other_machines_are_handled_as_usual(path):
    assert Client().get(path, HTTP_HOST="127.0.0.1:8000", REMOTE_ADDR="192.0.2.1").status_code == 400


def test_the_token_is_still_required(settings):
    settings.METRICS_TOKEN = "a token"
    assert Client().get("/metrics", HTTP_HOST="127.0.0.1").status_code == 403
    answer = Client().get("/metrics", HTTP_HOST="127.0.0.1", headers={"authorization": "Bearer a token"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/metrics/", "/api/v1/status", "/admin/", "/patients/"])
def test_other_pages_are_not_affected(path):
    assert Client().get(path, HTTP_HOST="127.0.0.1:8000").status_code == 400
