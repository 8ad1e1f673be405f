"""Photographs' files: who may have them, and how they are sent."""

import io

import pytest
from django.urls import reverse
from PIL import Image as PillowImage

from diagnosis.images.models import Image
from patients.models import Visit, VisitStatus
from tests import factories
from tests.diagnosis.photographing import blurred, kept, upload_of

KINDS = ("display", "thumbnail", "heat-map", "original")


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory.create(patient=patient, clinician=staff)


@pytest.fixture
def image(visit, staff, photograph):
    return kept(visit, factories.LesionFactory.create(patient=visit.patient), staff, photograph)


def address(image: Image, kind: str) -> str:
    return reverse("image-file", args=[image.pk, kind])


def body_of(answer) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("kind", "media_type", "shape"),
    [("display", "image/jpeg", "JPEG"), ("thumbnail", "image/jpeg", "JPEG"), ("heat-map", "image/png", "PNG")],
)
def test_files_are_sent_as_what_they_are_to_this_person_only(image, staff, sign_in, kind, media_type, shape):
    answer = sign_in(staff).get(address(image, kind))

    assert answer.status_code == 200
    assert answer["Content-Type"] == media_type
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "attachment" not in answer.get("Content-Disposition", "")
    assert PillowImage.open(io.BytesIO(body_of(answer))).format == shape


def test_the_original_is_a_download_byte_for_byte(visit, staff, sign_in, photograph):
    lesion = factories.LesionFactory.create(patient=visit.patient)
    sign_in(staff).post(
        reverse("upload", args=[visit.pk]), {"lesion": lesion.pk, "files": upload_of(photograph, 'mole "é"; x=1.html')}
    )

    answer = sign_in(staff).get(address(Image.objects.get(), "original"))

    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert body_of(answer) == photograph


def test_an_unchanged_file_is_not_sent_again(image, staff, stranger, sign_in):
    first = sign_in(staff).get(address(image, "display"))
    body_of(first)

    by_tag = sign_in(staff).get(address(image, "display"), headers={"If-None-Match": first["ETag"]})
    by_date = sign_in(staff).get(address(image, "display"), headers={"If-Modified-Since": first["Last-Modified"]})
    others = sign_in(stranger).get(address(image, "display"), headers={"If-None-Match": first["ETag"]})

    assert (by_tag.status_code, by_date.status_code, others.status_code) == (304, 304, 404)
    assert by_tag["Cache-Control"] == "no-store, private"


def test_each_kind_has_its_own_tag(image, staff, sign_in):
    tags = set()
    for kind in KINDS:
        answer = sign_in(staff).get(address(image, kind))
        body_of(answer)
        tags.add(answer["ETag"])

    assert len(tags) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_other_clinics_and_visitors_get_nothing(image, stranger, client, sign_in, kind):
    assert sign_in(stranger).get(address(image, kind)).status_code == 404
    assert client.get(address(image, kind)).url.startswith(reverse("account_login"))
    assert sign_in(stranger).post(address(image, kind)).status_code == 405


def test_patients_see_what_was_released_to_them_but_no_original(image, patient_user, sign_in):
    client = sign_in(patient_user)

    assert {client.get(address(image, kind)).status_code for kind in KINDS} == {404}
    Visit.objects.update(status=VisitStatus.SIGNED)
    assert {client.get(address(image, kind)).status_code for kind in KINDS} == {404}
    Visit.objects.update(status=VisitStatus.RELEASED)
    answers = {kind: client.get(address(image, kind)) for kind in KINDS}
    assert [body_of(answers[kind])[1:4] for kind in ("display", "heat-map")] == [b"\xd8\xff\xe0", b"PNG"]
    body_of(answers["thumbnail"])
    assert {kind: answer.status_code for kind, answer in answers.items()} == {
        "display": 200,
        "thumbnail": 200,
        "heat-map": 200,
        "original": 404,
    }


def test_patients_do_not_see_each_others(image, clinic, sign_in):
    Visit.objects.update(status=VisitStatus.RELEASED)
    other = factories.PatientFactory.create(clinic=clinic, user=factories.UserFactory.create())

    assert sign_in(other.user).get(address(image, "display")).status_code == 404


def test_what_is_not_there_is_404(visit, image, staff, sign_in, photograph):
    client = sign_in(staff)
    refused = kept(visit, factories.LesionFactory.create(patient=visit.patient), staff, blurred(photograph))

    assert client.get(address(refused, "heat-map")).status_code == 404
    assert client.get(f"/images/{image.pk}/secret/").status_code == 404
    image.thumbnail.storage.delete(image.thumbnail.name)
    assert client.get(address(image, "thumbnail")).status_code == 404
