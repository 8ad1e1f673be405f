"""Uploading through the clinic's door, with and without the script."""

import hashlib
import json
from unittest.mock import ANY

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.images.models import Image
from mlmodel.pictures.picture_errors import MAX_BYTES
from patients.models import VisitStatus
from tests import factories
from tests.diagnosis.photographing import blurred, sample, stored_files, upload_of
from tests.hooks import codes
from tests.mlmodel import hostile


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory.create(patient=patient)


@pytest.fixture
def address(visit):
    return reverse("upload", args=[visit.pk])


@pytest.fixture
def send(staff, sign_in, address, lesion):
    """Send files as the script does; return the status and the JSON."""
    client = sign_in(staff)

    def _send(*contents: bytes, **changes):
        data = {"lesion": str(lesion.pk), "files": [upload_of(content) for content in contents], **changes}
        answer = client.post(address, data, headers={"Accept": "application/json"})
        return answer.status_code, json.loads(answer.content)

    return _send


def test_the_script_sends_a_photograph_and_reads_the_answer(send, photograph, lesion, visit):
    status, answer = send(photograph)

    image = Image.objects.get()
    prediction = image.predictions.get()
    assert (image.visit, image.lesion) == (visit, lesion)
    assert status == 200
    assert answer == {
        "id": str(image.pk),
        "url": f"/images/{image.pk}/",
        "thumbnail": f"/images/{image.pk}/thumbnail/",
        "verdict": "accepted",
        "tier": prediction.tier,
        "badge": prediction.tier,
        "message": ANY,
        "badges": [{"tone": prediction.tier, "words": ANY}],
    }


def test_a_file_that_is_kept_elsewhere_too_is_said_to_be(send, photograph, patient, staff, sign_in, address, lesion):
    """Of the wrong patient, most likely: with the script and without it."""
    twin = factories.LesionFactory.create(patient__clinic=patient.clinic, number=1)
    factories.ImageFactory.create(lesion=twin, sha256=hashlib.sha256(photograph).hexdigest())
    words = "The same file is stored under another lesion too"
    _status, answer = send(photograph)
    assert {"tone": "urgent", "words": words} in answer["badges"]
    assert (answer["badge"], answer["message"]) == ("urgent", words)
    sent = {"lesion": str(lesion.pk), "files": [upload_of(sample(1)), upload_of(sample(2))]}
    other = factories.ImageFactory.create(lesion=twin, visit__patient=twin.patient)
    Image.objects.filter(pk=other.pk).update(sha256=hashlib.sha256(sample(2)).hexdigest())
    assert sign_in(staff).post(address, sent).content.decode().count(words) == 1


def test_a_refused_photograph_is_kept_and_said_to_be_refused(send, photograph):
    status, answer = send(blurred(photograph))

    assert status == 200
    assert (answer["verdict"], answer["tier"], answer["message"]) == ("blurred", None, "Refused: blurred")
    assert Image.objects.get().verdict == "blurred"


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        (b"This is text.", 415, "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415, "not-an-image"),
        (b"", 400, "empty-file"),
        (sample(0)[:9000], 422, "broken-image"),
        (b"\xff\xd8" + bytes(MAX_BYTES), 413, "too-large"),
        (hostile.png_header(), 413, "too-many-pixels"),
        (hostile.jpeg_header(), 413, "too-many-pixels"),
    ],
    ids=["text", "svg", "empty", "truncated", "21 MB", "huge PNG header", "huge JPEG header"],
)
def test_what_cannot_be_read_is_refused_and_leaves_nothing(send, settings, content, status, error):
    before = stored_files(settings.MEDIA_ROOT)

    answered, answer = send(content)

    assert (answered, answer["status"], answer["error"]) == (status, status, error)
    assert answer["detail"] == answer["message"]
    assert answer["message"].endswith(".")
    assert not Image.objects.exists()
    assert stored_files(settings.MEDIA_ROOT) == before


def test_a_picture_of_one_pixel_is_kept_as_too_small(send):
    status, answer = send(hostile.png_bomb(1, 1))

    assert (status, answer["tier"]) == (200, None)
    assert answer["verdict"] in {"too_small", "not_skin"}


def test_a_photograph_under_another_ending_is_read_by_its_bytes(send, photograph, staff):
    status, answer = send(files=[upload_of(photograph, "mole.tiff")])

    assert (status, answer["verdict"]) == (200, "accepted")
    assert Image.objects.get().media_type == "image/jpeg"


def test_the_same_photograph_again_names_the_one_that_is_kept(send, photograph):
    send(photograph)

    status, answer = send(photograph)

    assert (status, answer["error"]) == (409, "already_uploaded")
    assert answer["url"] == Image.objects.get().get_absolute_url()


def test_a_signed_visit_takes_no_photograph(send, visit, photograph):
    visit.status = VisitStatus.SIGNED
    visit.save()

    status, answer = send(photograph)

    assert (status, answer["error"]) == (409, "visit_is_closed")
    assert answer["message"]
    assert not Image.objects.exists()


def test_what_is_missing_is_said(send, photograph, stranger):
    elsewhere = factories.LesionFactory.create(patient=factories.PatientFactory.create(clinic=stranger.clinic))

    status, answer = send()
    assert (status, answer["code"], answer["message"]) == (400, "malformed", "Choose at least one photograph.")
    assert send(photograph, lesion="")[1]["message"] == "Choose the lesion that the photographs show."
    for lesion in (elsewhere.pk, "no-uuid", "\x00"):
        assert send(photograph, lesion=lesion)[0] == 400
    assert send(photograph, photograph)[1]["message"] == "Send 1 photograph at a time."
    assert not Image.objects.exists()


def test_without_the_script_one_bad_file_does_not_sink_the_others(staff, sign_in, address, lesion):
    files = [upload_of(sample(0), "a.jpg"), upload_of(b"text", "b.jpg"), upload_of(sample(1), "<c>.jpg")]

    answer = sign_in(staff).post(address, {"lesion": lesion.pk, "files": files})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "2 of 3 were stored" in page
    assert "not-an-image" in codes(page)
    assert "&lt;c&gt;.jpg" in page
    assert {image.original_name for image in Image.objects.all()} == {"a.jpg", "<c>.jpg"}


def test_without_the_script_one_photograph_leads_to_its_result(staff, sign_in, address, lesion, photograph):
    answer = sign_in(staff).post(address, {"lesion": lesion.pk, "files": upload_of(photograph)})

    assert (answer.status_code, answer.url) == (302, Image.objects.get().get_absolute_url())


def test_without_the_script_errors_stand_by_the_form(staff, sign_in, address, lesion, settings):
    settings.UPLOAD_MAX_FILES = 2
    client = sign_in(staff)

    nothing = client.post(address, {"lesion": lesion.pk})
    many = client.post(address, {"lesion": lesion.pk, "files": [upload_of(b"text")] * 3})
    bad = client.post(address, {"lesion": lesion.pk, "files": upload_of(b"text")})

    assert (nothing.status_code, many.status_code, bad.status_code) == (400, 400, 415)
    assert "no_photograph" in codes(nothing)
    assert "too_many_photographs" in codes(many.content.decode())
    assert "0 of 1 were stored" in bad.content.decode()


def test_a_body_that_is_too_large_is_refused_before_it_is_read(staff, sign_in, address, lesion, settings, photograph):
    settings.UPLOAD_MAX_REQUEST_BYTES = 10_000
    client = sign_in(staff)
    data = {"lesion": str(lesion.pk), "files": upload_of(photograph)}

    plain = client.post(address, data)
    script = client.post(address, {**data, "files": upload_of(photograph)}, headers={"Accept": "application/json"})

    assert (plain.status_code, script.status_code) == (413, 413)
    assert "nothing_uploaded" in codes(plain.content.decode())
    assert script.json()["error"] == "too_large"
    assert plain.wsgi_request._read_started is False


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"--x\r\nContent-Disposition: form-data; name=files; filename=a.jpg\r\n\r\n\xff\xd8", 400, "malformed"),
        (b"nonsense", 400, "malformed"),
        (
            b'--x\r\nContent-Disposition: form-data; name="lesion"\r\n\r\n' + b"a" * 3_000_000 + b"\r\n--x--\r\n",
            413,
            "too-large",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\na\r\n' * 70 + b"--x--\r\n",
            413,
            "too-many-files",
        ),
    ],
    ids=["cut off", "nonsense", "3 MB of text", "70 files"],
)
def test_a_malformed_body_is_the_senders_fault(staff, sign_in, address, body, status, code):
    client = sign_in(staff)
    for content_type, expected in (
        ("multipart/form-data; boundary=x", (status, code)),
        ("multipart/form-data; boundary=é", (400, "malformed")),
        ("x/y", (415, "unsupported-media-type")),
    ):
        answer = client.post(address, body, content_type=content_type, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == expected
    assert not Image.objects.exists()


def test_another_site_cannot_upload(staff, address, lesion, photograph):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff.user)

    answer = client.post(address, {"lesion": lesion.pk, "files": upload_of(photograph)})

    assert answer.status_code == 403
    assert not Image.objects.exists()


def test_only_the_clinic_uploads(address, lesion, photograph, stranger, patient_user, sign_in, client):
    for send in (
        lambda client: client.get(address),
        lambda client: client.post(address, {"lesion": lesion.pk, "files": upload_of(photograph)}),
    ):
        assert send(sign_in(stranger)).status_code == 404
        assert send(sign_in(patient_user)).status_code == 403
        assert send(client).url.startswith(reverse("account_login"))
    assert not Image.objects.exists()


def test_the_page_offers_picker_camera_and_lesions(staff, sign_in, address, lesion):
    page = sign_in(staff).get(address, {"lesion": str(lesion.pk)}).content.decode()

    assert 'capture="environment"' in page
    assert f'value="{lesion.pk}" required id="id_lesion_0" checked' in page
    assert f"/lesions/new/?visit={lesion.patient.visits.get().pk}" in page


def test_the_page_says_what_to_do_first_or_instead(staff, sign_in, visit, address):
    client = sign_in(staff)

    assert "no_lesions" in codes(client.get(address))
    assert client.get(address, {"lesion": "\x00"}).status_code == 200
    visit.status = VisitStatus.SIGNED
    visit.save()
    closed = client.get(address, follow=True)
    assert closed.redirect_chain == [(visit.get_absolute_url(), 302)]
    assert "visit_is_closed" in codes(closed)
