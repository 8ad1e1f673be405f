"""Bodies that nothing here reads: refused in words at every door, as a problem document where a program asks."""

import gzip

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.api.helpers import BATCH, EXPLANATION, PREDICT, STATUS, assert_problem

pytestmark = pytest.mark.django_db

MULTIPART = "multipart/form-data; boundary=X"
BODY = b'--X\r\nContent-Disposition: form-data; name="condition"\r\n\r\nmel\r\n--X--\r\n'
CODINGS = ["gzip", "br", "deflate", "zstd", "x-gzip", "GZIP", "gzip, br", "nonsense", "\xff"]
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def doors(patient):
    """Every address that programs or our own scripts send a body to."""
    image = factories.ImageFactory(lesion__patient=patient)
    return [
        PREDICT,
        BATCH,
        EXPLANATION,
        STATUS,
        "/api/v1/nothing/",
        reverse("api-similar", args=[image.pk]),
        reverse("upload", args=[image.visit_id]),
        reverse("image-review", args=[image.pk]),
        reverse("admin:review-photograph", args=[image.pk]),
        "/session/",
        "/quick-check/",
        "/contact/",
        "/accounts/login/",
        "/patients/new/",
        "/nothing/here/",
    ]


def send(client, address, body=BODY, content_type=MULTIPART, **headers):
    return client.generic("POST", address, body, content_type=content_type, headers={**SCRIPT, **headers})


@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_compressed(doors, sign_in, dermatologist, coding):
    client = sign_in(dermatologist)
    for address in doors:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            response = client.generic(
                method,
                address,
                gzip.compress(BODY),
                content_type=MULTIPART,
                headers={**SCRIPT, "Content-Encoding": coding},
            )
            problem = assert_problem(response, 415, "unsupported-media-type")
            assert "Content-Encoding" in problem["detail"]
            assert response["Accept-Encoding"] == "identity"


def test_the_api_says_so_to_whoever_asks_for_anything(api, staff):
    response = api(staff).generic(
        "POST", PREDICT, gzip.compress(BODY), content_type=MULTIPART, headers={"Content-Encoding": "gzip"}
    )
    assert_problem(response, 415, "unsupported-media-type")


def test_a_person_gets_a_page():
    response = Client().generic(
        "POST", "/contact/", BODY, content_type=MULTIPART, headers={"Content-Encoding": "gzip", "Accept": "text/html"}
    )
    assert (response.status_code, response["Content-Type"]) == (415, "text/html; charset=utf-8")
    assert "Send it uncompressed" in response.content.decode()


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_what_is_not_compressed_is_read(api, staff, coding):
    assert send(api(staff), EXPLANATION, **{"Content-Encoding": coding}).status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/jpeg", "multipart/mixed", "", "x"])
def test_what_is_no_form(doors, sign_in, dermatologist, content_type):
    client = sign_in(dermatologist)
    pages = [address for address in doors if not address.startswith("/api/")]
    for address in [*pages, PREDICT, BATCH]:
        assert_problem(send(client, address, b"{}", content_type), 415, "unsupported-media-type")
    if content_type != "application/json":
        assert_problem(send(client, EXPLANATION, b"{}", content_type), 415, "unsupported-media-type")


def test_what_has_no_length(doors, sign_in, dermatologist):
    client = sign_in(dermatologist)
    for address in doors:
        response = send(client, address, b"", **{"Transfer-Encoding": "chunked"})
        assert_problem(response, 411, "length-required")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"--X\r\nContent-Disposition: form-data; name=", 400),
        (BODY[:-6], 400),
        (b"nonsense", 400),
        (b'--X\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n' * 1001 + b"--X--\r\n", 400),
        (b'--X\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + b"x" * 2_200_000 + b"\r\n--X--\r\n", 413),
        (b'--X\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\nx\r\n' * 65 + b"--X--\r\n", 413),
    ],
    ids=["cut in a head", "cut in the last boundary", "no form", "1001 fields", "a field of 2 MB", "65 files"],
)
def test_what_is_cut_off_or_too_much(doors, sign_in, dermatologist, body, status):
    client = sign_in(dermatologist)
    upload, login, contact = (doors[-9], "/accounts/login/", "/contact/")
    for address in (PREDICT, BATCH, upload):
        response = send(client, address, body)
        assert_problem(response, status, response.json()["code"])
    response = send(client, EXPLANATION, body)
    assert_problem(response, 413 if len(body) > 64 * 1024 else status, response.json()["code"])
    for address in (login, contact, "/quick-check/"):
        response = send(Client(), address, body)
        assert response.status_code in (400, 413)
        assert_problem(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "unknown", "base64", "\xff"])
def test_another_charset(doors, sign_in, dermatologist, charset):
    """Forms are read as UTF-8, whatever they claim."""
    client = sign_in(dermatologist)
    for address in doors:
        response = send(client, address, BODY, f"{MULTIPART}; charset={charset}")
        assert response.status_code < 500
        if response.status_code >= 400 and response.status_code != 422:
            assert_problem(response, response.status_code, response.json()["code"])
