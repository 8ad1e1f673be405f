import pytest
from django.test import Client

from mlmodel.taxonomy import CONDITIONS
from tests.api.helpers import EXPLANATION, assert_problem

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.code)
def test_by_code_or_by_name(api, staff, condition):
    client = api(staff)
    by_code = client.post(EXPLANATION, {"condition": condition.code}, content_type="application/json")
    by_name = client.post(EXPLANATION, {"condition": f" {condition.name.upper()} "})

    assert by_code.status_code == 200, by_code.content
    assert by_code.json() == by_name.json()
    explanation = by_code.json()
    assert explanation["source"] == "library"
    assert explanation["model_name"] is None
    for section in ("what_it_is", "causes", "symptoms", "told_apart_by", "prevention", "treatment"):
        assert explanation["sections"][section]
    assert explanation["urgency"]
    assert explanation["urgency_from"] == "condition"
    assert all(source["title"] and source["url"].startswith("https://") for source in explanation["sources"])


def test_for_a_clinician_it_reads_otherwise(api, staff):
    client = api(staff)
    patient, clinician = (
        client.post(EXPLANATION, {"condition": "mel", "reading_level": level}).json()
        for level in ("patient", "clinician")
    )
    assert set(patient["sections"]) == set(clinician["sections"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("condition", ""),
        ("condition", "acne"),
        ("condition", "\0"),
        ("condition", "m" * 100_000),
        ("condition", ["mel"]),
        ("condition", {"code": "mel"}),
        ("condition", None),
        ("condition", "\ud800"),
        ("language", "\ud800"),
        ("language", "../../etc/passwd"),
        ("language", "e" * 30),
        ("language", "en gb"),
        ("language", "xx"),
        ("language", 7),
        ("reading_level", "\ud800"),
        ("reading_level", "child"),
        ("reading_level", []),
    ],
)
def test_what_is_not_understood_is_named(api, staff, field, value):
    form = {"condition": "mel", field: value}
    response = api(staff).post(EXPLANATION, form, content_type="application/json")
    if response.status_code == 413:
        assert len(str(value)) > 65_000
        return
    assert list(assert_problem(response, 400, "invalid")["errors"]) == [field]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 20_000,
        b'{"a":' * 10_000,
        b'{"condition": NaN}',
        b"1" * 5_000,
        b'{"condition": ' + b"9" * 5_000 + b"}",
        b"null",
        b"[]",
        b'"mel"',
        b"true",
        b"",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_json_that_is_none(api, staff, body):
    response = api(staff).post(EXPLANATION, body, content_type="application/json")
    assert response.json()["code"] in ("malformed", "invalid")
    assert_problem(response, 400, response.json()["code"])


def test_long_texts_are_not_read(api, staff):
    response = api(staff).post(EXPLANATION, b" " * 70_000, content_type="application/json")
    assert_problem(response, 413, "too-large")


def test_visitors_may_not_ask():
    assert_problem(Client().post(EXPLANATION, {"condition": "mel"}), 401, "not-authenticated")
