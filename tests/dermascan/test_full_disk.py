"""A full or read-only disk: every door reports it, nothing is partly stored, and the health check fails."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from dermascan.core.storage_faults import CannotBeKept, NoRoomLeft, cannot_write, storage_fault
from dermascan.core.submission import Submission
from diagnosis.images.models import HeatMap, Image, Prediction, QualityOverride
from tests import factories
from tests.api.helpers import BATCH, PREDICT, STATUS, assert_problem, sample
from tests.diagnosis.photographing import blurred

pytestmark = pytest.mark.django_db

FILLER = "filler"


@pytest.fixture
def disk(tmp_path, settings):
    """Photographs are stored on a disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a disk can be mounted by root alone")
    settings.MEDIA_ROOT = folder / "media"
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def full_disk(disk):
    """A disk with room for half a photograph."""
    fill(disk, left=20_000)
    return disk


def fill(disk: Path, *, left: int) -> None:
    (disk / FILLER).write_bytes(bytes(shutil.disk_usage(disk).free - left))


@pytest.fixture
def no_folder(tmp_path, settings):
    """A file in place of the photographs' folder, so that not even root can write there."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.write_text("")
    return tmp_path


@pytest.fixture(params=["full_disk", "no_folder"])
def fault(request):
    """Return the folder, the status and the code of the problem."""
    folder = request.getfixturevalue(request.param)
    return folder, *{"full_disk": (507, "storage-full"), "no_folder": (503, "storage-unavailable")}[request.param]


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


def photograph(name="a.jpg", number=0):
    return SimpleUploadedFile(name, sample(number), content_type="image/jpeg")


def assert_nothing_kept(folder: Path) -> None:
    assert not Image.objects.exists()
    assert not Prediction.objects.exists()
    assert not HeatMap.objects.exists()
    assert not Submission.objects.exists()
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != FILLER]
    assert [path for path in files if path.stat().st_size] == []


def test_the_upload(fault, staff, sign_in, visit, lesion):
    folder, status, code = fault
    address = reverse("upload", args=[visit.pk])
    form = {"lesion": lesion.pk, "idempotency_key": "once"}
    client = sign_in(staff)

    response = client.post(address, {**form, "files": photograph()}, headers={"Accept": "application/json"})
    problem = assert_problem(response, status, code)
    assert problem["message"] == problem["detail"]
    assert "nothing was saved" in problem["detail"]

    page = client.post(address, {**form, "files": [photograph(), photograph("b.jpg", 1)]})
    assert page.status_code == status
    assert page.content.decode().count("nothing was saved") == 2
    assert "0 of 2 were stored" in page.content.decode()
    assert_nothing_kept(folder)


def test_the_api(fault, staff, api_client, lesion):
    folder, status, code = fault
    client = api_client
    form = {"lesion": lesion.pk}
    problem = assert_problem(client.post(PREDICT, {**form, "file": photograph()}), status, code)
    assert "nothing was saved" in problem["detail"]
    answer = client.post(BATCH, {**form, "files": [photograph(), SimpleUploadedFile("t", b"text")]}).json()
    assert [item["problem"]["code"] for item in answer["results"]] == [code, "not-an-image"]
    # Predictions that are not stored need no disk.
    assert client.post(PREDICT, {"file": photograph()}).status_code == 200
    assert Client().post("/quick-check/", {"file": photograph()}).status_code == 200
    assert_nothing_kept(folder)


@pytest.fixture
def api_client(staff):
    return Client(headers={"authorization": f"Token {factories.api_key(staff)}"})


def test_files_that_are_written_later(disk, dermatologist, sign_in, visit, lesion):
    """A refused photograph is stored; when it is analysed anyway, there is no room for its heat maps."""
    client = sign_in(dermatologist)
    form = {"lesion": lesion.pk, "files": SimpleUploadedFile("a.jpg", blurred(sample(0)))}
    client.post(reverse("upload", args=[visit.pk]), form, headers={"Accept": "application/json"})
    image = Image.objects.get()
    files = {path for path in disk.rglob("*") if path.is_file()}
    fill(disk, left=0)
    client.raise_request_exception = False
    address = reverse("image-override", args=[image.pk])
    response = client.post(address, {"reason": "It will do."}, headers={"HX-Request": "true"})
    assert_problem(response, 507, "storage-full")
    assert client.post(address, {"reason": "It will do."}).status_code == 507
    assert not Prediction.objects.exists()
    assert not QualityOverride.objects.exists()
    assert {path for path in disk.rglob("*") if path.is_file()} == files | {disk / FILLER}
    (disk / FILLER).unlink()
    assert client.post(address, {"reason": "It will do."}).status_code == 302
    assert Prediction.objects.exists()


@pytest.mark.parametrize("size", [1, 5_000_000])
def test_a_large_body_needs_room_on_the_disk(full_disk, settings, staff, sign_in, visit, size):
    """Request bodies are buffered in a folder that may be full too."""
    settings.FILE_UPLOAD_TEMP_DIR = full_disk
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    client = sign_in(staff)
    client.raise_request_exception = False
    for address, field in ((reverse("upload", args=[visit.pk]), "files"), ("/quick-check/", "file")):
        form = {field: SimpleUploadedFile("a.jpg", bytes(size))}
        response = client.post(address, form, headers={"Accept": "application/json"})
        if size == 1:
            assert response.status_code in (400, 415)
        else:
            assert_problem(response, 507, "storage-full")
            page = client.post(address, {field: SimpleUploadedFile("a.jpg", bytes(size))})
            assert page.status_code == 507
            assert "Storage is full" in page.content.decode()
    if size > 1:
        client = Client(headers={"authorization": f"Token {factories.api_key(staff)}"})
        response = client.post(PREDICT, {"file": SimpleUploadedFile("a", bytes(size))})
        assert_problem(response, 507, "storage-full")
    assert_nothing_kept(full_disk)


def test_the_status_reports_it(fault):
    response = Client().get(STATUS)
    assert response.status_code == 503
    assert response.json()["checks"]["files"] == {"status": "failing"}


@pytest.fixture
def read_only_database():
    if connection.vendor != "sqlite":
        pytest.skip("how SQLite is made read-only")
    connection.ensure_connection()
    # Not through Django, which allows no query after an error in a transaction.
    yield lambda: connection.connection.execute("PRAGMA query_only = ON")
    connection.connection.execute("PRAGMA query_only = OFF")


def test_a_database_that_cannot_be_written(read_only_database, dermatologist, sign_in, visit, lesion, patient):
    """The SQLite database is on the same disk."""
    image = factories.ImageFactory(lesion=lesion, visit=visit)
    client = sign_in(dermatologist)
    client.raise_request_exception = False
    review = {"answer": "nv", "certainty": "certain", "basis": "dermatoscopy"}
    token = {"authorization": f"Token {factories.api_key(dermatologist)}"}
    read_only_database()
    for headers in ({"HX-Request": "true"}, {"Accept": "application/json"}, {"X-Requested-With": "XMLHttpRequest"}):
        for address, form in (
            (reverse("image-review", args=[image.pk]), review),
            (reverse("admin:review-photograph", args=[image.pk]), review),
            (f"/patients/{patient.pk}/lesions/new/", {"body_site": "face", "side": "left"}),
            (reverse("upload", args=[visit.pk]), {"lesion": lesion.pk, "files": photograph()}),
        ):
            assert_problem(client.post(address, form, headers=headers), 503, "storage-unavailable")
    page = client.post(reverse("image-review", args=[image.pk]), review)
    assert (page.status_code, "cannot be saved" in page.content.decode()) == (503, True)
    api = Client(headers=token)
    response = api.post(PREDICT, {"file": photograph(), "lesion": lesion.pk, "visit": visit.pk})
    assert_problem(response, 503, "storage-unavailable")


def test_storage_faults_are_recognised():
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as full:
        database.execute("CREATE TABLE t (c)")
    database.close()
    assert isinstance(storage_fault(full.value), NoRoomLeft)

    with open("/dev/full", "wb", buffering=0) as device, pytest.raises(OSError, match="No space left") as no_room:
        device.write(b"x")
    error = RuntimeError()
    error.__cause__ = no_room.value
    assert isinstance(storage_fault(error), NoRoomLeft)

    for other in (None, ValueError(), OSError(), FileNotFoundError(2, "none"), TimeoutError()):
        assert storage_fault(other) is None
    assert type(cannot_write(PermissionError(13, "no"))) is CannotBeKept
