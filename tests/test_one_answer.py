"""An unreadable file gets the same code, status and message on pages, in the API and from commands."""

import html
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from dermascan.core.problems import KINDS
from diagnosis.images.models import Image
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import BY_CODE, MAX_BYTES, PictureError
from tests import factories
from tests.api.helpers import BATCH, PREDICT, bomb, count_visits, sample, stored_files
from tests.diagnosis.photographing import blurred, upload_of
from tests.mlmodel import hostile
from tests.mlmodel.damage import encoded, photograph, without, zeroed
from tests.mlmodel.ham10000_like import write_table
from tests.mlmodel.pictures.test_picture_colours import UNSUPPORTED, heic_of

SMALL, TINY = photograph().resize((300, 225)), photograph().resize((180, 135))
PLANES = hostile.planar_tiff(np.asarray(SMALL).astype("<u2") * 257, strips=3)
# The files, and the expected codes.
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty-file"),
    "too large": (b"\xff\xd8\xff\xe0" + bytes(MAX_BYTES), "too-large"),
    "bomb": (bomb(), "too-many-pixels"),
    "text": (b"This is no photograph.", "not-an-image"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-an-image"),
    "beginning of a JPEG": (b"\xff\xd8\xff\xe0 and no more", "broken-image"),
    "truncated JPEG": (sample()[:9000], "broken-image"),
    "zeroed block": (zeroed(sample(), 0.5, 4096), "broken-image"),
    "missing sector": (without(sample(), 0.5), "broken-image"),
    "truncated PNG": (encoded(SMALL, "PNG")[:-5000], "broken-image"),
    "truncated WebP": (encoded(SMALL, "WEBP")[:-500], "broken-image"),
    "truncated HEIC": (encoded(SMALL, "HEIF")[:-500], "broken-image"),
    "HEIC with a block of another file": (
        zeroed(encoded(SMALL, "HEIF"), 0.5, 512).replace(bytes(512), sample()[9000:9512], 1), "broken-image"),
    "truncated GIF": (encoded(SMALL, "GIF")[:-5000], "broken-image"),
    "truncated BMP": (encoded(SMALL, "BMP")[:-5000], "broken-image"),
    "truncated TIFF": (encoded(SMALL, "TIFF")[:5000], "broken-image"),
    "planes of 16 bits, one cut": (PLANES.replace(PLANES[8:208], PLANES[8:108], 1), "broken-image"),
    "TIFF of two pages": (encoded(SMALL, "TIFF", save_all=True, append_images=[SMALL]), "unsupported-image"),
    "HDR in HEIC": (heic_of(SMALL, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9),
                    "unsupported-image"),
    **{kind: (UNSUPPORTED[kind], "unsupported-image")
       for kind in ("float TIFF", "uint32 TIFF", "12-bit JPEG", "JPEG-LS", "JPEG 2000", "JPEG 2000 in TIFF", "DICOM",
                    "PDF", "AVIF", "MP4", "Canon raw")},
}  # fmt: skip
NAMES = {kind: f"file{number}" for number, kind in enumerate(FILES)}
SCRIPT = {"Accept": "application/json"}

# A door sends the bytes and returns status, code and message.
Answer = tuple[int, str, str]


def of_problem(problem: dict) -> Answer:
    return problem["status"], problem["code"], problem["detail"]


@pytest.fixture
def doors(patient, staff, sign_in) -> dict[str, Callable[[bytes], Answer]]:
    visit = factories.VisitFactory(patient=patient, clinician=staff)
    lesion = factories.LesionFactory(patient=patient)
    kept_at, member = reverse("upload", args=[visit.pk]), sign_in(staff)

    def of_api(address: str, **fields: str) -> Callable[[bytes], Answer]:
        def ask(data: bytes) -> Answer:
            answer = member.post(address, {"file": upload_of(data), **fields})
            problem = answer.json()
            assert answer.status_code == problem["status"]
            return of_problem(problem)

        return ask

    def of_batch(data: bytes) -> Answer:
        answer = member.post(BATCH, {"files": [upload_of(data), upload_of(data)]}).json()
        first, second = answer["results"]
        assert first["status"] == first["problem"]["status"]
        assert of_problem(first["problem"]) == of_problem(second["problem"])
        return of_problem(first["problem"])

    def of_script(data: bytes) -> Answer:
        answer = member.post(kept_at, {"lesion": str(lesion.pk), "files": [upload_of(data)]}, headers=SCRIPT)
        problem = json.loads(answer.content)
        assert problem["error"] == problem["code"]
        assert (answer.status_code, problem["message"]) == (problem["status"], problem["detail"])
        return of_problem(problem)

    def of_form(data: bytes) -> Answer:
        answer = member.post(kept_at, {"lesion": str(lesion.pk), "files": [upload_of(data)]})
        match = re.search(r'data-code="([^"]+)">([^<]+)<', answer.content.decode())
        assert match
        return answer.status_code, match[1], html.unescape(match[2])

    def of_quick_check(data: bytes) -> Answer:
        answer = Client().post(reverse("quick-check"), {"file": upload_of(data)})
        (error,) = answer.context["form"].errors.as_data()["file"]
        assert html.escape(error.message) in answer.content.decode()
        return answer.status_code, error.code, error.message

    return {
        "upload by script": of_script,
        "upload by form": of_form,
        "quick check": of_quick_check,
        "API": of_api(PREDICT),
        "API, kept": of_api(PREDICT, lesion=str(lesion.pk)),
        "API, several": of_batch,
    }


@pytest.fixture(scope="module")
def commands(tmp_path_factory) -> dict[str, dict[str, str]]:
    """Return each command's messages by file name, after one run with all files."""
    folder = tmp_path_factory.mktemp("set")
    images = folder / "images"
    images.mkdir()
    for kind, (data, _) in FILES.items():
        (images / f"{NAMES[kind]}.jpg").write_bytes(data)
    (images / "good.jpg").write_bytes(sample())
    names = [*NAMES.values(), "good"]
    rows = [{"image_id": name, "lesion_id": f"L{name}", "dx": "mel"} for name in names]
    write_table(folder / "metadata.csv", rows)
    write_table(folder / "truth.csv", [{"image": name, "dx": "mel"} for name in names])
    output = io.StringIO()
    with pytest.raises(CommandError, match=f"{len(FILES)} of {len(FILES) + 1} could not be read"):
        call_command("predict", str(images), stdout=io.StringIO(), stderr=output)
    predicted = output.getvalue()
    call_command("import_ham10000", str(folder), output=folder / "imported", stdout=io.StringIO())
    imported = json.loads((folder / "imported" / "summary.json").read_text())["findings"]["broken"]
    output = io.StringIO()
    options = {"images": images, "truth": folder / "truth.csv", "latency": 0, "pictures": 0}
    call_command("evaluate", output=folder / "report", stdout=io.StringIO(), stderr=output, **options)
    return {
        "predict": by_name(predicted.splitlines()),
        "import_ham10000": by_name(imported),
        "evaluate": by_name(output.getvalue().splitlines()),
    }


def by_name(lines: list[str]) -> dict[str, str]:
    matches = (re.search(r"(file\d+)\.jpg: (.+)", line) for line in lines)
    return {Path(each[1]).name: each[2] for each in matches if each}


def words_of(kind: str) -> str:
    """Return the decoder's error for a file, which every door must report."""
    with pytest.raises(PictureError) as refused:
        decode(FILES[kind][0])
    return str(refused.value)


@pytest.mark.parametrize("kind", FILES)
def test_pages_and_api_report_the_same_error(kind, doors):
    data, code = FILES[kind]
    before = count_visits(), stored_files()
    answers = {name: ask(data) for name, ask in doors.items()}
    assert answers == dict.fromkeys(doors, (BY_CODE[code].status, code, words_of(kind)))
    assert (count_visits(), stored_files(), Image.objects.count()) == (*before, 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_commands_report_the_same_error(kind, commands):
    answers = {name: said[NAMES[kind]] for name, said in commands.items()}
    assert answers == dict.fromkeys(commands, f"{words_of(kind)} [{FILES[kind][1]}]")


def test_every_code_has_a_status():
    assert {code: KINDS[code][0] for code in BY_CODE} == {code: error.status for code, error in BY_CODE.items()}


@pytest.mark.parametrize(
    ("data", "verdict"),
    [(encoded(TINY, "PNG"), "too_small"), (blurred(sample()), "blurred"), (encoded(SMALL, "BMP"), "accepted")],
    ids=["too small", "blurred", "good"],
)
def test_every_door_refuses_a_readable_picture_for_the_same_reason(data, verdict, patient, staff, sign_in, client):
    visit = factories.VisitFactory(patient=patient, clinician=staff)
    lesions = [str(factories.LesionFactory(patient=patient).pk) for _ in range(2)]
    member, kept_at = sign_in(staff), reverse("upload", args=[visit.pk])
    is_refused = verdict != "accepted"
    script = member.post(kept_at, {"lesion": lesions[0], "files": [upload_of(data)]}, headers=SCRIPT)
    assert json.loads(script.content)["verdict"] == verdict
    quick = client.post(reverse("quick-check"), {"file": upload_of(data)})
    assert (quick.status_code, bool(quick.context["refusal"])) == (422 if is_refused else 200, is_refused)
    title = quick.context["refusal"].title if is_refused else ""
    for place in ({}, {"lesion": lesions[1]}):
        answer = member.post(PREDICT, {"file": upload_of(data), **place})
        assert answer.json()["quality"]["verdict"] == verdict
        assert answer.status_code == (422 if is_refused else 200)
        assert answer.json().get("code") == ("cannot-be-judged" if is_refused else None)
        assert answer.json().get("detail", "").startswith(title)
    assert {image.verdict for image in Image.objects.all()} == {verdict}
