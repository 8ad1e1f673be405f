"""PostgreSQL with a full disk or read-only: clear errors, nothing partly stored, no names in the log."""

import io
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from dermascan.core.submission import Submission
from dermascan.logs import LineFormatter
from diagnosis.images.models import Image, Prediction
from diagnosis.reviews.models import Review
from patients.models import Consent
from tests import factories
from tests.api.helpers import PREDICT, assert_problem, sample
from tests.diagnosis.photographing import stored_files
from tests.factories import PASSWORD

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.services,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="how PostgreSQL is filled and made read-only"),
]

FAULTS = {
    "full": (507, "storage-full", "Storage is full"),
    "read_only": (503, "storage-unavailable", "cannot be saved"),
}
# Empty, so that the first row needs a new page.
TABLES = ("dermascan_submission", "patients_consent", "diagnosis_prediction", "diagnosis_review")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 1 MB that the server may write to."""
    folder, server = Path(tempfile.mkdtemp(prefix="dermascan-disk-")), os.stat(_ask("SHOW data_directory"))
    options = f"size=1m,mode=700,uid={server.st_uid},gid={server.st_gid}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True).returncode:
        pytest.skip("a disk can be mounted by root alone")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def _ask(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


def _tell(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def full(request):
    """Return a function that fills the disk under some tables."""
    disk = request.getfixturevalue("small_disk")
    _tell(f"CREATE TABLESPACE small_disk LOCATION '{disk}'")

    def fill() -> None:
        for table in TABLES:
            _tell(f"TRUNCATE {table} CASCADE", f"ALTER TABLE {table} SET TABLESPACE small_disk")
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free))

    yield fill
    (disk / "filler").unlink(missing_ok=True)
    _tell(*(f"ALTER TABLE {table} SET TABLESPACE pg_default" for table in TABLES), "DROP TABLESPACE small_disk")


@pytest.fixture
def read_only():
    """Return a function that makes the server read-only, like a stand-by."""

    yield lambda: _tell("SET default_transaction_read_only = on")
    _tell("SET default_transaction_read_only = off")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(LineFormatter("{levelname} {name}: {message}", style="{"))
    logging.getLogger().addHandler(handler)
    yield log
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("kind", FAULTS)
def test_every_door_reports_it(request, log, kind, clinic, dermatologist, sign_in, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    status, code, words = FAULTS[kind]
    patient = factories.PatientFactory(clinic=clinic, family_name="Zwartveld")
    lesion = factories.LesionFactory(patient=patient, description="Zwartveld")
    visit = factories.VisitFactory(patient=patient, complaint="Zwartveld")
    image = factories.ImageFactory(lesion=lesion, visit=visit)
    api = Client(headers={"authorization": f"Token {factories.api_key(dermatologist)}"})
    client = sign_in(dermatologist)
    client.raise_request_exception = api.raise_request_exception = False
    doors = {
        reverse("upload", args=[visit.pk]): {"lesion": lesion.pk},
        reverse("image-review", args=[image.pk]): {"answer": "nv", "certainty": "certain", "basis": "dermatoscopy"},
        reverse("patient-consent", args=[patient.pk, "training"]): {
            "decision": "given",
            "method": "verbal",
            "is_confirmed": "on",
        },
        reverse("lesion-new", args=[patient.pk]): {
            "body_site": "face",
            "side": "left",
            "idempotency_key": "k",
        },
    }
    before = stored_files(tmp_path)
    request.getfixturevalue(kind)()
    for address, form in doors.items():
        for headers in ({"Accept": "application/json"}, {"HX-Request": "true"}, {}):
            photograph = {"files": SimpleUploadedFile("Zwartveld.jpg", sample(0))} if "lesion" in form else {}
            response = client.post(address, {**form, **photograph}, headers=headers)
            if headers:
                assert_problem(response, status, code)
            else:
                assert (response.status_code, words in response.text) == (status, True), address
    form = {"lesion": lesion.pk, "visit": visit.pk, "file": SimpleUploadedFile("Zwartveld.jpg", sample(0))}
    assert_problem(api.post(PREDICT, form), status, code)

    assert Image.objects.get() == image
    assert stored_files(tmp_path) == before
    assert not any(model.objects.exists() for model in (Prediction, Review, Consent, Submission))
    assert client.get(reverse("patient", args=[patient.pk])).status_code == 200, "what is there can be read"
    assert {"full": "SQLSTATE 53100", "read_only": "SQLSTATE 25006"}[kind] in log.getvalue()
    assert "Zwartveld" not in log.getvalue()


def test_sign_in_fails_cleanly_on_a_read_only_server(read_only, staff):
    read_only()
    client = Client(raise_request_exception=False)
    form = {"login": staff.user.username, "password": PASSWORD}
    response = client.post("/accounts/login/", form)
    assert (response.status_code, "cannot be saved" in response.text) == (503, True)
