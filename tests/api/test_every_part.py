"""Each part that is sent has its result or its problem, in order, whatever the file is called: at every door."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from dermascan.core.multipart import UNNAMED, printable_name
from diagnosis.images.models import Image
from tests import factories
from tests.api.helpers import BATCH, PREDICT, assert_nothing_kept, assert_problem, sample
from tests.hooks import codes

pytestmark = pytest.mark.django_db

MULTIPART = "multipart/form-data; boundary=X"
# What stands after ``name="files"``, and what the file is called in the answer.
NAMES = {
    "Latin-1": (b'; filename="n\xe9vus.jpg"', "névus.jpg"),
    "Latin-1, unquoted": (b"; filename=n\xe9vus.jpg", "névus.jpg"),
    "no text at all": (b'; filename="\xff\xfe\x80"', "ÿþ"),
    "Shift JIS": (b'; filename="\x83z\x83N\x83\x8d.jpg"', "zN.jpg"),
    "UTF-8": ('; filename="Muttermal_grün.jpg"'.encode(), "Muttermal_grün.jpg"),
    "emoji": ('; filename="🙂.jpg"'.encode(), "🙂.jpg"),
    "300 emoji": (f'; filename="{"🙂" * 300}.jpg"'.encode(), "🙂" * 200),
    "300 letters": (b'; filename="' + b"n" * 300 + b'.jpg"', "n" * 200),
    "5000 letters": (b'; filename="' + b"n" * 5000 + b'.jpg"', "n" * 200),
    "..": (b'; filename=".."', UNNAMED),
    ".": (b'; filename="."', UNNAMED),
    "dots as entities": (b'; filename="&#46;&#46;"', "&#46;&#46;"),
    "empty": (b'; filename=""', UNNAMED),
    "empty, unquoted": (b"; filename=", UNNAMED),
    "blank": (b'; filename="  "', UNNAMED),
    "/": (b'; filename="/"', UNNAMED),
    "a folder": (b'; filename="a/"', UNNAMED),
    "a/../b": (b'; filename="a/../b"', "b"),
    "../../etc/passwd": (b'; filename="../../etc/passwd"', "passwd"),
    "backslashes": (b'; filename="C:\\fakepath\\..\\b.jpg"', "b.jpg"),
    "one backslash": (b'; filename="\\"', UNNAMED),
    "NUL": (b'; filename="\0"', UNNAMED),
    "NUL within": (b'; filename="a\0b.jpg"', "ab.jpg"),
    "a line feed": (b'; filename="a\nb.jpg"', "ab.jpg"),
    "a broken line": (b'; filename="a\r\nb.jpg"', "a"),
    "a folded line": (b';\r\n filename="a.jpg"', "a.jpg"),
    "a quotation mark": (b'; filename="a\\"b.jpg"', 'a"b.jpg'),
    "a semicolon": (b'; filename="a;b.jpg"', "a;b.jpg"),
    "never closed": (b'; filename="a.jpg', "a.jpg"),
    "filename*": (b"; filename*=UTF-8''n%C3%A9vus.jpg", "névus.jpg"),
    "filename* in Latin-1": (b"; filename*=iso-8859-1''n%E9vus.jpg", "névus.jpg"),
    "both": (b"; filename=x.jpg; filename*=UTF-8''%E2%82%AC.jpg", "€.jpg"),
    "both, one unknown": (b"; filename=x.jpg; filename*=unknown''%E2.jpg", "x.jpg"),
    "filename* of an unknown charset": (b"; filename*=zip''%E2.jpg", UNNAMED),
    "filename* that is not UTF-8": (b"; filename*=UTF-8''%E9", "\ufffd"),
    "filename* of surrogates": (b"; filename*=UTF-8''%ED%A0%80.jpg", "\ufffd\ufffd\ufffd.jpg"),
    "filename* of dots": (b"; filename*=UTF-8''%2E%2E", UNNAMED),
    "filename* of nothing": (b"; filename*='", UNNAMED),
    "filename* of slashes": (b"; filename*=UTF-8''a%2F..%2Fb.jpg", "b.jpg"),
    "turned round": ('; filename="a\u202egpj.exe"'.encode(), "agpj.exe"),
    "none": (b"", UNNAMED),
    "none, with a type that is not text": (b"\r\nContent-Type: image/\xff", UNNAMED),
}


def part(disposition: bytes, content: bytes, field: bytes = b"files") -> bytes:
    head = b'Content-Disposition: form-data; name="' + field + b'"' + disposition
    return b"--X\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--X--\r\n"


def in_batches(names):
    names = list(names)
    return [names[start : start + 32] for start in range(0, len(names), 32)]


def send(client, address, body, **headers):
    return client.generic("POST", address, body, content_type=MULTIPART, headers=headers)


def test_a_name_in_latin_1_that_comes_first(api, staff):
    """Three photographs: none is lost, and the answers are of the right ones."""
    names = [b'; filename="n\xe9vus.jpg"', b'; filename="2.jpg"', b'; filename="3.jpg"']
    body = form(*[part(name, sample(number)) for number, name in enumerate(names)])

    answer = send(api(staff), BATCH, body).json()

    assert (answer["count"], answer["failed"]) == (3, 0)
    assert [item["filename"] for item in answer["results"]] == ["névus.jpg", "2.jpg", "3.jpg"]
    alone = [send(api(staff), PREDICT, form(part(b"", sample(number), b"file"))).json() for number in range(3)]
    assert [item["result"]["probabilities"] for item in answer["results"]] == [one["probabilities"] for one in alone]


@pytest.mark.parametrize("first", [0, 1])
def test_every_name_in_a_batch(api, staff, first):
    """With content and without, beside each other."""
    for names in in_batches(NAMES):
        contents = [(b"text", b"")[(number + first) % 2] for number in range(len(names))]
        body = form(*[part(NAMES[name][0], content) for name, content in zip(names, contents, strict=True)])
        response = send(api(staff), BATCH, body)
        assert response.status_code == 200, response.content
        answer = response.json()
        assert answer["count"] == answer["failed"] == len(names)
        assert [item["index"] for item in answer["results"]] == list(range(len(names)))
        assert [item["filename"] for item in answer["results"]] == [NAMES[name][1] for name in names]
        codes = ["not-an-image" if content else "empty-file" for content in contents]
        assert [item["problem"]["code"] for item in answer["results"]] == codes


def test_every_name_in_a_batch_that_is_kept(api, staff, lesion):
    """Each photograph goes into the record, or is said to be there already."""
    names = list(NAMES)[:31]
    body = form(
        part(b"", str(lesion.pk).encode(), b"lesion"),
        *[part(NAMES[name][0], sample(number % 2)) for number, name in enumerate(names)],
    )
    items = send(api(staff), BATCH, body).json()["results"]
    assert [item["filename"] for item in items] == [NAMES[name][1] for name in names]
    assert [item["status"] for item in items] == [200, 200] + [409] * 29
    assert [image.original_name for image in Image.objects.order_by("created_at")] == ["névus.jpg", "névus.jpg"]


def test_every_name_alone(api, staff):
    client = api(staff)
    for disposition, _shown in NAMES.values():
        assert_problem(send(client, PREDICT, form(part(disposition, b"text", b"file"))), 415, "not-an-image")
        assert_problem(send(client, PREDICT, form(part(disposition, b"", b"file"))), 400, "empty-file")
        two = form(part(disposition, b"text", b"file"), part(disposition, b"text", b"file"))
        assert_problem(send(client, PREDICT, two), 413, "too-many-files")


@pytest.fixture
def upload_form(patient, staff):
    """Return the address of a visit's upload, and its form around parts."""
    lesion = factories.LesionFactory(patient=patient)
    visit = factories.VisitFactory(patient=patient, clinician=staff)
    return reverse("upload", args=[visit.pk]), lambda *parts: form(
        part(b"", str(lesion.pk).encode(), b"lesion"), *parts
    )


def test_every_name_to_a_visit_by_the_plain_form(staff, sign_in, upload_form):
    address, form_of = upload_form
    for names in in_batches(NAMES):
        response = send(sign_in(staff), address, form_of(*[part(NAMES[name][0], b"text") for name in names]))
        outcomes = response.context["outcomes"]
        assert [(each.name, each.code) for each in outcomes] == [(NAMES[name][1], "not-an-image") for name in names]
        assert f"0 of {len(names)} were stored" in response.content.decode()


def test_every_name_to_a_visit_by_the_script(staff, sign_in, upload_form):
    address, form_of = upload_form
    client = sign_in(staff)
    for disposition, _shown in NAMES.values():
        response = send(client, address, form_of(part(disposition, b"text")), accept="application/json")
        assert_problem(response, 415, "not-an-image")
        two = form_of(part(disposition, b"text"), part(disposition, b"text"))
        assert_problem(send(client, address, two, accept="application/json"), 400, "malformed")


def test_every_name_to_the_quick_check(client):
    for disposition, _shown in NAMES.values():
        cache.clear()  # the limit on quick checks
        response = send(client, "/quick-check/", form(part(disposition, b"text", b"file")))
        assert response.status_code == 415
        assert "not-an-image" in codes(response)


def test_the_quick_check_takes_one(client):
    response = send(client, "/quick-check/", form(part(b"; filename=a", b"text", b"file"), part(b"", b"x", b"file")))
    assert response.status_code == 400
    assert "too_many_photographs" in codes(response.content.decode())


def test_files_under_another_name_are_not_passed_over(staff, sign_in, upload_form, api):
    address, form_of = upload_form
    body = form_of(part(b'; filename="a.jpg"', b"text"), part(b'; filename="b.jpg"', b"text", b"photographs"))
    outcomes = send(sign_in(staff), address, body).context["outcomes"]
    assert [outcome.name for outcome in outcomes] == ["a.jpg", "b.jpg"]
    problem = assert_problem(send(api(staff), BATCH, body.replace(b"lesion", b"files ")), 400, "invalid")
    assert "photographs" in problem["errors"]


@pytest.mark.parametrize("disposition", [b'; filename=""', b"; filename=", b""])
def test_an_input_in_which_nothing_was_chosen_is_no_file_on_a_page(staff, sign_in, client, upload_form, disposition):
    """The upload page has two inputs, of which a browser without scripts sends one empty."""
    address, form_of = upload_form
    with_one = form_of(part(disposition, b""), part(b'; filename="a.jpg"', b"text"))
    assert [outcome.name for outcome in send(sign_in(staff), address, with_one).context["outcomes"]] == ["a.jpg"]
    nothing = send(sign_in(staff), address, form_of(part(disposition, b""), part(disposition, b"")))
    assert (nothing.status_code, "no_photograph" in codes(nothing)) == (400, True)
    sample_chosen = form(part(disposition, b"", b"file"), part(b"", b"ISIC_0024310", b"sample"))
    assert send(client, "/quick-check/", sample_chosen).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        part(b'; filename="a.jpg"', b"text") + part(b'; filename="b.jpg"', b"text"),
        part(b'; filename="a.jpg"', b"text") + b"--X",
        part(b'; filename="a.jpg"', b"text") + b"--X\r\n",
        part(b'; filename="a.jpg"', b"text") + b"--X\r\nContent-Disposition: form-data",
        part(b'; filename="a.jpg"', b"text")[:-2],
        form(part(b'; filename="a.jpg"', b"text"), b"--X\r\n\r\na part without a head\r\n"),
        form(part(b'; filename="a.jpg"', b"text"), b'--X\r\nContent-Disposition: form-data; filename="b"\r\n\r\n\r\n'),
        form(part(b'; filename="a.jpg"', b"text"), part(b'; filename="' + b"n" * 20_000 + b'"', b"text")),
        form(part(b'; filename="a.jpg"', b"text\r\n--Xanadu")),
    ],
    ids=[
        "last boundary missing",
        "cut in the last boundary",
        "cut after a boundary",
        "cut in a head",
        "cut in a file",
        "a part without a head",
        "a part without a name",
        "a head of 20 kB",
        "a boundary within a line",
    ],
)
def test_what_cannot_be_told_apart_is_refused_whole(api, staff, sign_in, client, upload_form, body):
    address, _form = upload_form
    assert_problem(send(api(staff), BATCH, body), 400, "malformed")
    assert_problem(send(api(staff), PREDICT, body), 400, "malformed")
    assert_problem(send(sign_in(staff), address, body, accept="application/json"), 400, "malformed")
    assert send(client, "/quick-check/", body).status_code == 400
    assert_problem(send(client, "/quick-check/", body, accept="application/json"), 400, "malformed")
    assert_nothing_kept()


@pytest.mark.parametrize("content", [b"", b"\r\n", b"a\r\n", b"\r\n--", b"--X", b"\n--X", b"a--X--\r\nb", b"\r\n\r\n"])
@pytest.mark.parametrize("memory", [0, 4_000_000])
def test_content_is_read_to_the_byte(rf, settings, content, memory):
    """In memory and on the disk; with line ends and what looks like a boundary within."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = memory
    body = b"preamble\r\n" + form(part(b'; filename="a"', content), part(b"", content, b"text")) + b"epilogue"
    request = rf.post("/", body, content_type=MULTIPART)
    assert request.FILES["files"].read() == content
    assert request.FILES["files"].size == len(content)
    assert request.POST["text"].encode() == content
    request.close()


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_where_the_network_cuts_the_body_makes_no_difference(rf, monkeypatch, chunk):
    monkeypatch.setattr("dermascan.core.multipart.CHUNK_BYTES", chunk)
    body = form(part(b'; filename="a"', b"12\r\n--\r345"), part(b"", b"v", b"text"), part(b'; filename="b"', b""))
    request = rf.post("/", body, content_type=MULTIPART)
    read = [(file.name, file.read()) for file in request.FILES.getlist("files")]
    assert read == [("a", b"12\r\n--\r345"), ("b", b"")]
    assert request.POST["text"] == "v"


@pytest.mark.parametrize(
    ("sent", "read"),
    [(b"dGV4dA==", b"text"), (b"dGV4\r\ndA==", b"text"), (b"dGV4dA", b"text"), (b"", b""), (b"!", b"!")],
)
def test_base64(rf, sent, read):
    body = form(part(b'; filename="a"\r\nContent-Transfer-Encoding: BASE64', sent), part(b'; filename="b"', b"b"))
    files = rf.post("/", body, content_type=MULTIPART).FILES.getlist("files")
    assert [file.name for file in files] == ["a", "b"]
    assert files[0].read().startswith(read[:3])


@pytest.mark.parametrize("name", ["", ".", "..", "/", "\\", "a/..", "\0", " ", "\u202e"])
def test_a_name_is_never_empty(name):
    assert printable_name(name) == UNNAMED
