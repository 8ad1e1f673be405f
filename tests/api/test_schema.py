import io
import json

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from tests.api.helpers import EXPLANATION, PREDICT, upload

OPERATIONS = {"/api/v1/predict/", "/api/v1/predict/batch/", "/api/v1/explanation/", "/api/v1/status/"}
SIMILAR = "/api/v1/images/{image_id}/similar/"
OUTCOME = "/api/v1/lesions/{lesion_id}/outcome/"


@pytest.fixture(scope="module")
def schema() -> dict:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def test_it_is_valid_and_lists_every_operation(schema):
    validate_schema(schema)
    assert set(schema["paths"]) == OPERATIONS | {SIMILAR, OUTCOME}


def test_problems_and_examples_are_described(schema):
    for path in OPERATIONS - {"/api/v1/status/"}:
        responses = schema["paths"][path]["post"]["responses"]
        assert {"200", "400", "401", "403", "413", "415", "429"} <= set(responses)
        for status, response in responses.items():
            media_type = "application/json" if status == "200" else "application/problem+json"
            assert response["content"][media_type]["examples"], (path, status)
    assert "422" in schema["paths"][PREDICT]["post"]["responses"]
    assert set(schema["paths"]["/api/v1/status/"]["get"]["responses"]) == {"200", "503"}


def test_examples_are_as_described(schema):
    components = _strict(schema["components"])
    checked = 0
    for operation in (each for path in schema["paths"].values() for each in path.values()):
        for response in operation["responses"].values():
            for body in response["content"].values():
                validator = Draft202012Validator({**_strict(body["schema"]), "components": components})
                for example in body.get("examples", {}).values():
                    validator.validate(example["value"])
                    checked += 1
    assert checked > 50


@pytest.mark.django_db
def test_answers_are_as_described(schema, api, staff, photograph):
    """The description is checked against what really comes back."""

    def check(response, path, status):
        described = schema["paths"][path]["post"]["responses"][str(status)]["content"]
        body = described[response["Content-Type"]]["schema"]
        validator = Draft202012Validator({**_strict(body), "components": _strict(schema["components"])})
        assert response.status_code == status
        validator.validate(response.json())

    client = api(staff)
    check(client.post(PREDICT, {"file": upload(photograph)}), PREDICT, 200)
    check(client.post(PREDICT, {"file": upload(b"text")}), PREDICT, 415)
    check(client.post(PREDICT), PREDICT, 400)
    check(client.post("/api/v1/predict/batch/", {"files": [upload(photograph), upload(b"")]}), f"{PREDICT}batch/", 200)
    check(client.post(EXPLANATION, {"condition": "bcc"}), EXPLANATION, 200)


def _strict(node):
    """OpenAPI 3.0 as JSON Schema: nullable spelled out, and no member that is not described."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: _strict(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        node["additionalProperties"] = False
    if node.pop("nullable", False):
        return {"anyOf": [node, {"type": "null"}]}
    return node


QUERIES = [
    "",
    "?format=json",
    "?format=yaml",
    "?lang=xx",
    "?version=%00",
    "?lang=%00",
    "?version=%0d%0aX",
    "?version=”",
]


@pytest.mark.parametrize("query", QUERIES)
def test_it_is_served_to_anyone(db, query):
    response = Client().get(f"/api/schema/{query}")
    assert response.status_code == 200
    content = response.content.decode()
    described = json.loads(content) if "json" in response["Content-Type"] else yaml.safe_load(content)
    assert set(described["paths"]) >= OPERATIONS


def test_the_page_needs_nothing_from_elsewhere(db):
    html = Client().get("/api/docs/").content.decode()
    assert "swagger-ui" in html
    assert "https://" not in html
    assert 'src="//' not in html


@pytest.mark.parametrize(
    "headers", [{"accept": "x/y"}, {"accept": "chunked"}, {"authorization": "Token old"}, {"authorization": "Token"}]
)
def test_the_page_is_shown_whatever_is_sent_along(db, headers):
    response = Client().get("/api/docs/", headers=headers)
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "swagger-ui" in response.text
    assert Client().get("/api/schema/", headers={"authorization": "Token old"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO"])
def test_the_page_refuses_other_methods(sign_in, staff, method):
    client = sign_in(staff)
    client.handler.enforce_csrf_checks = True
    response = client.generic(method, "/api/docs/", b"zz", content_type="application/json", headers={"accept": "x"})
    assert response.status_code in (403, 405)
