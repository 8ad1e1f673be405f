"""Every response has a content security policy, and browsers do not cache pages of signed-in users."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import PHOTOGRAPHS
from tests.diagnosis.photographing import kept
from tests.factories import LesionFactory, UserFactory, VisitFactory
from tests.permissions.addresses import ADDRESSES
from tests.permissions.world import World
from tests.test_permissions import world

__all__ = ["world"]
pytestmark = pytest.mark.django_db


def lacks(answer) -> list[str]:
    policy = answer.get("Content-Security-Policy", "")
    wanted = {
        "a policy": re.search("default-src '(self|none)'", policy) and "frame-ancestors 'none'" in policy,
        "no inline code": "unsafe" not in policy,
        "nosniff": answer.get("X-Content-Type-Options") == "nosniff",
        "a referrer policy": "Referrer-Policy" in answer,
    }
    return [name for name, is_there in wanted.items() if not is_there]


@pytest.mark.slow
@pytest.mark.parametrize("role", ["anonymous", "staff", "superuser"])
def test_every_address_has_a_policy(world: World, role):
    client = Client(raise_request_exception=False)
    if role in world.sessions:
        client.cookies["sessionid"] = world.sessions[role]
    wrong = {}
    for address in ADDRESSES:
        for case in address.cases()[:1]:
            path = address.path(case, world)
            for method in ("get", "options"):
                answer = getattr(client, method)(path)
                if answer.streaming:
                    list(answer)
                if missing := lacks(answer):
                    wrong[f"{method} {path} {answer.status_code}"] = missing
                cache_control = answer.get("Cache-Control", "")
                if role != "anonymous" and "no-store" not in cache_control and "public" not in cache_control:
                    wrong[f"{method} {path} {answer.status_code} may be kept"] = [cache_control]
    assert not wrong


@pytest.mark.parametrize("path", ["/static/css/tokens.css", "/nothing/", "/api/nothing/", "/static/nothing.css"])
def test_static_files_and_errors_have_one(client, path):
    assert not lacks(client.head(path))


def test_a_redirect_to_https_and_a_refused_host_have_one(client, settings):
    assert not lacks(client.get("/", HTTP_HOST="elsewhere.example", REMOTE_ADDR="192.0.2.1"))
    settings.SECURE_SSL_REDIRECT = True
    redirect = Client().get("/")
    assert redirect.status_code == 301
    assert "Content-Security-Policy" in redirect


def test_the_api_docs_run_only_their_own_code(client):
    answer = client.get("/api/docs/")
    policy, page = answer["Content-Security-Policy"], answer.content.decode()
    (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
    assert "unsafe-inline" not in policy
    inline = re.findall(r"<(?:script|style)(?![^>]*\bsrc=)([^>]*)>", page)
    assert inline
    assert all(f'nonce="{nonce}"' in attributes for attributes in inline)
    assert not re.search(r'(?:src|href)="https?:', page)
    assert nonce not in client.get("/api/docs/")["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ["display", "thumbnail", "heat-map", "original"])
def test_photographs_are_not_cached(sign_in, staff, patient, kind):
    visit, lesion = VisitFactory(patient=patient), LesionFactory(patient=patient)
    image = kept(visit, lesion, staff, (PHOTOGRAPHS / "ISIC_0024310.jpg").read_bytes())
    answer = sign_in(staff).get(reverse("image-file", args=[image.pk, kind]))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    list(answer)


def test_a_missing_file_and_a_refusal_are_not_cached_either(sign_in):
    client = sign_in(UserFactory())
    for path in ("/patients/", "/nothing/"):
        assert "no-store" in client.get(path)["Cache-Control"]
