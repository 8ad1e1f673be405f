import pytest
from django.test import Client

from diagnosis.api import views
from tests.api.helpers import BATCH, EXPLANATION, PREDICT, STATUS, assert_nothing_kept, assert_problem, upload

pytestmark = pytest.mark.django_db

MULTIPART = "multipart/form-data; boundary=b"


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def part(headers: bytes, body: bytes = b"x") -> bytes:
    return headers + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "path", ["/api/", "/api", "/api/v1/", "/api/v2/predict/", "/api/v1/predict/x/", "/api/v1/%00"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options", "head"])
def test_unknown_addresses(path, method):
    response = getattr(Client(), method)(path)
    if method == "head":
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
    else:
        assert_problem(response, 404, "not-found")


def test_a_forgotten_slash_is_added_and_the_request_sent_again(api, staff, photograph):
    response = api(staff).post("/api/v1/predict?x=1", {"file": upload(photograph)})
    assert response.status_code == 308
    assert response["Location"] == "/api/v1/predict/?x=1"
    assert Client().get("/api/docs", follow=True).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/api/v1/predict", "/api//evil.example", "/api/v1/predict//"])
def test_a_forgotten_slash_leads_to_no_other_site(path):
    response = Client().get(path)
    assert response.status_code == 404 or response["Location"].startswith("/api/v1/")


@pytest.mark.parametrize("path", [PREDICT, BATCH, EXPLANATION])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_other_methods(api, staff, path, method):
    response = getattr(api(staff), method)(path)
    assert_problem(response, 405, "method-not-allowed")
    assert "POST" in response["Allow"]


def test_writing_to_the_status():
    assert_problem(Client().post(STATUS), 405, "method-not-allowed")


def test_answers_in_other_formats(api, staff):
    response = api(staff).post(EXPLANATION, {"condition": "mel"}, headers={"accept": "application/xml"})
    assert_problem(response, 406, "not-acceptable")


@pytest.mark.parametrize("accept", ["", "*/*", "application/json, text/plain;q=0.5", "nonsense", "a/b;c=\0", ";;;,,,"])
def test_odd_accept_headers(api, staff, accept):
    response = api(staff).post(EXPLANATION, {"condition": "mel"}, headers={"accept": accept})
    assert response.status_code in (200, 406)


@pytest.mark.parametrize("query", ["format=xml", "format=json", "format=%00", "format="])
def test_odd_formats(api, staff, query):
    assert api(staff).post(f"{EXPLANATION}?{query}", {"condition": "mel"}).status_code in (200, 404)


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "image/jpeg", "application/octet-stream", "x"]
)
@pytest.mark.parametrize("path", [PREDICT, BATCH])
def test_other_media_types(api, staff, photograph, path, media_type):
    response = api(staff).generic("POST", path, photograph, content_type=media_type)
    assert_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "media_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 300,
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=\x01",
    ],
)
def test_multipart_without_a_boundary(api, staff, media_type):
    response = api(staff).generic("POST", PREDICT, form(part(b"Content-Disposition: x")), content_type=media_type)
    assert response.status_code in (400, 415)
    assert_problem(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize("charset", ["base64", "utf-16", "idna", "unknown", "utf-7", "rot13", "punycode", "zip"])
@pytest.mark.parametrize("path", [PREDICT, EXPLANATION])
def test_other_encodings(api, staff, path, charset):
    body = form(part(b'Content-Disposition: form-data; name="condition"', b"mel"))
    response = api(staff).generic("POST", path, body, content_type=f"{MULTIPART}; charset={charset}")
    assert 200 <= response.status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--",
        b"--b\r\n",
        b"no boundary anywhere",
        form(part(b"")),
        form(part(b"Content-Disposition: form-data")),
        form(part(b'Content-Disposition: form-data; name="file"; filename=""')),
        form(part(b'Content-Disposition: form-data; name="file"; filename="\0"')),
        form(part(b'Content-Disposition: form-data; name="file"; filename="../../../etc/passwd"')),
        form(part(b'Content-Disposition: form-data; name="file"; filename="' + b"n" * 5000 + b'"')),
        form(part(b"Content-Disposition: form-data; name=\"file\"; filename*=zip''x")),
        form(part(b"Content-Disposition: form-data; name=\"file\"; filename*=utf-8''%ED%A0%80.jpg")),
        form(part(b"Content-Disposition: form-data; name=\"file\"; filename*=unknown''x.jpg")),
        form(part(b'Content-Disposition: form-data; name="file"; filename*=\'')),
        form(part(b'Content-Disposition: form-data; name="file"; filename="\xff\xfe.jpg"')),
        form(part(b'Content-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: \0/\xff')),
        form(
            part(
                b'Content-Disposition: form-data; name="file"; filename="x"\r\nContent-Transfer-Encoding: base64', b"!"
            )
        ),
        form(part(b'Content-Disposition: form-data; name="\xff"; filename="x"')),
        form(part(b'Content-Disposition: form-data; name="lesion"', b"\xff\xfe\0")),
        form(*[part(b'Content-Disposition: form-data; name="f"')] * 1001),
        form(*[part(b'Content-Disposition: form-data; name="file"; filename="x"')] * 65),
        form(part(b'Content-Disposition: form-data; name="f"', b"x" * 3_000_000)),
        form(part(b"X-Long: " + b"x" * 100_000)),
    ],
    ids=lambda body: repr(body[:100])[-50:],
)
@pytest.mark.parametrize("path", [PREDICT, BATCH, EXPLANATION])
def test_malformed_forms(api, staff, path, body):
    response = api(staff).generic("POST", path, body, content_type=MULTIPART)
    if path == BATCH and response.status_code == 200:
        assert response.json()["failed"] == response.json()["count"]
    else:
        assert response.status_code in (400, 413, 415), response.content
        assert_problem(response, response.status_code, response.json()["code"])
    assert_nothing_kept()


class Untouched:
    """A body that must not be read."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize(
    ("path", "length"), [(PREDICT, 23_000_000), (BATCH, 700_000_000), (EXPLANATION, 70_000), (PREDICT, 10**30)]
)
def test_a_body_that_is_too_large_is_refused_unread(api, staff, path, length):
    response = api(staff).post(path, **{"CONTENT_LENGTH": str(length), "wsgi.input": Untouched()})
    assert "MB" in assert_problem(response, 413, "too-large")["detail"]


def test_a_body_of_unknown_length_is_refused(api, staff):
    response = api(staff).generic("POST", PREDICT, b"", content_type=MULTIPART, HTTP_TRANSFER_ENCODING="chunked")
    assert_problem(response, 411, "length-required")


def test_a_file_just_too_large_is_refused(api, staff):
    problem = assert_problem(api(staff).post(PREDICT, {"file": upload(b"\xff" * 20_971_521)}), 413, "too-large")
    assert problem["detail"]


def test_a_sender_who_hangs_up_is_no_fault_of_ours(api, staff):
    class HungUp:
        def read(self, *_size: int) -> bytes:
            raise OSError("gone")

        readline = read

    response = api(staff).post(PREDICT, **{"CONTENT_LENGTH": "100", "CONTENT_TYPE": MULTIPART, "wsgi.input": HungUp()})
    assert_problem(response, 400, "malformed")


def test_our_own_fault_is_a_problem_too_and_logged(api, staff, photograph, monkeypatch, caplog):
    def fail(**_arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(views, "check_picture", fail)
    client = api(staff)
    client.raise_request_exception = False
    response = client.post(PREDICT, {"file": upload(photograph)})
    assert_problem(response, 500, "server-error")
    assert b"secret" not in response.content
    assert "ZeroDivisionError" in caplog.text

    items = client.post(BATCH, {"files": [upload(photograph)]}).json()["results"]
    assert items[0]["status"] == items[0]["problem"]["status"] == 500
