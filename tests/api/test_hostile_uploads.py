"""What is sent by mistake or in bad faith, through HTTP. Never a 500, and nothing half-kept."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from diagnosis.images.models import HeatMap, Image
from tests.api.helpers import (
    BATCH,
    PREDICT,
    assert_nothing_kept,
    assert_problem,
    bomb,
    encoded,
    png_header_of,
    sample,
    stored_files,
    upload,
)

pytestmark = pytest.mark.django_db


HOSTILE = {
    "zero bytes": (b"", 400, "empty-file"),
    "truncated": (sample()[:5000], 422, "broken-image"),
    "truncated in its header": (sample()[:30], 422, "broken-image"),
    "text named .jpg": (b"I am a photograph, believe me. " * 100, 415, "not-an-image"),
    "html": (b"<!doctype html><script>alert(1)</script>", 415, "not-an-image"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', 415, "not-an-image"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", 415, "unsupported-image"),
    "a program": (b"\x7fELF" + bytes(500), 415, "not-an-image"),
    "bomb": (bomb(), 413, "too-many-pixels"),
    "30,000 × 30,000 in its header": (png_header_of(30_000, 30_000), 413, "too-many-pixels"),
    "2³¹ pixels wide": (png_header_of(2**31 - 1, 1), 413, "too-many-pixels"),
    "no pixels behind its header": (png_header_of(600, 450), 422, "broken-image"),
    "1 × 1": (encoded(Pillow.new("RGB", (1, 1))), 422, "cannot-be-judged"),
    "1 × 2000": (encoded(Pillow.new("RGB", (1, 2000))), 422, "cannot-be-judged"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused(api, staff, name):
    data, status, code = HOSTILE[name]
    assert_problem(api(staff).post(PREDICT, {"file": upload(data)}), status, code)
    assert_nothing_kept()


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_not_kept_unless_it_is_a_photograph(api, staff, visit, lesion, name):
    data, status, code = HOSTILE[name]
    form = {"file": upload(data), "visit": visit.pk, "lesion": lesion.pk}
    assert_problem(api(staff).post(PREDICT, form), status, code)
    if code == "cannot-be-judged":
        assert Image.objects.get().verdict != "accepted"
    else:
        assert_nothing_kept()


def test_all_at_once(api, staff):
    files = [upload(data, f"{name}.jpg") for name, (data, _status, _code) in HOSTILE.items()]
    answer = api(staff).post(BATCH, {"files": files}).json()
    assert [item["problem"]["code"] for item in answer["results"]] == [
        code for _data, _status, code in HOSTILE.values()
    ]
    assert_nothing_kept()


def test_where_it_was_taken_is_gone_from_what_is_served(api, staff, sign_in, visit, lesion):
    picture = Pillow.open(io.BytesIO(sample()))
    exif = Pillow.Exif()
    exif[0x010E] = "Name: A. Patient"
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 26.0), 3: "W", 4: (0.0, 7.0, 39.0)})
    data = encoded(picture, exif=exif, comment=b"A. Patient", quality=95)
    assert Pillow.open(io.BytesIO(data)).getexif().get_ifd(0x8825), "the test sends a position"

    form = {"file": upload(data), "visit": visit.pk, "lesion": lesion.pk}
    answer = api(staff).post(PREDICT, form).json()
    client = sign_in(staff)
    for kind in ("display", "thumbnail", "heat-map"):
        response = client.get(f"/images/{answer['image']['id']}/{kind}/")
        assert response.status_code == 200
        served = b"".join(response.streaming_content) if response.streaming else response.content
        shown = Pillow.open(io.BytesIO(served))
        assert not shown.getexif()
        assert "comment" not in shown.info
        assert b"A. Patient" not in served
        assert b"Exif" not in served


@pytest.mark.parametrize(
    "name", ["mole.exe", "mole.svg", "mole", "C:\\mole.php", "mole\0.jpg", "m" * 200 + ".jpg", "é\u202e.jpg"]
)
def test_a_name_decides_nothing(api, staff, visit, lesion, photograph, name):
    form = {"file": upload(photograph, name, "text/html"), "visit": visit.pk, "lesion": lesion.pk}
    response = api(staff).post(PREDICT, form)
    assert response.status_code == 200, response.content
    image = Image.objects.get()
    assert image.media_type == "image/jpeg"
    assert "\0" not in image.original_name
    assert len(image.original_name) <= 200
    assert all(path.name.startswith(image.pk.hex) for path in stored_files())


SEEDS = {
    "jpeg": sample(),
    "png": encoded(Pillow.open(io.BytesIO(sample())).resize((160, 120)), "PNG"),
    "webp": encoded(Pillow.open(io.BytesIO(sample())).resize((160, 120)), "WEBP"),
    "tiff": encoded(Pillow.open(io.BytesIO(sample())).resize((160, 120)), "TIFF", compression="tiff_lzw"),
    "bmp": encoded(Pillow.open(io.BytesIO(sample())).resize((160, 120)), "BMP"),
}


@pytest.fixture
def client_of_staff(api, staff):
    """One token for all examples."""
    return api(staff)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real file, hurt: bytes changed (more often at the start, where formats live), cut out, put in, cut off."""
    data = bytearray(SEEDS[draw(st.sampled_from(sorted(SEEDS)))])
    for _number in range(draw(st.integers(1, 6))):
        reach = draw(st.sampled_from([64, 1024, len(data)]))
        start = draw(st.integers(0, max(0, min(reach, len(data)) - 1)))
        match draw(st.sampled_from(["change", "remove", "insert", "cut"])):
            case "change":
                data[start : start + 1] = draw(st.binary(min_size=1, max_size=8))
            case "remove":
                del data[start : start + draw(st.integers(1, 64))]
            case "insert":
                data[start:start] = draw(st.binary(min_size=1, max_size=64))
            case "cut" if draw(st.booleans()):
                del data[start:]
    return bytes(data)


@pytest.mark.slow
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=mutated())
def test_hurt_photographs_are_answered_and_kept_whole_or_not_at_all(client_of_staff, visit, lesion, data):
    images, files = Image.objects.count(), stored_files()
    response = client_of_staff.post(PREDICT, {"file": upload(data), "visit": visit.pk, "lesion": lesion.pk})

    code = response.json().get("code")
    assert response.status_code in (200, 400, 409, 413, 415, 422), response.content
    new_files = stored_files() - files
    if response.status_code == 200:
        assert len(new_files) in (4, 5)  # original, display, thumbnail, one heat map or two
    elif code == "cannot-be-judged":
        assert len(new_files) == 3
    else:
        assert not new_files
        assert Image.objects.count() == images
    # What is in the database is on the disk, and the other way round.
    rows = list(Image.objects.all())
    named = {image.original.path for image in rows} | {image.display.path for image in rows}
    named |= {image.thumbnail.path for image in rows} | {each.file.path for each in HeatMap.objects.all()}
    assert {str(path) for path in stored_files()} == named
