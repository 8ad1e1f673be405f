import pytest
from django.test import Client

from tests.dermascan.pages import assert_in_our_frame
from tests.hooks import codes

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.dermascan.broken_urls")]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("status", [400, 403, 500])
def test_each_failure_says_what_to_do_in_our_base_template(client, status):
    response = client.get(f"/fails/{status}/")
    assert response.status_code == status
    page = assert_in_our_frame(response)
    assert f"Error {status}" in page
    assert 'class="button"' in page
    assert "secret" not in page


def test_a_refusal_states_its_reason(client):
    assert "for dermatologists" in client.get("/fails/403/").content.decode()


def test_an_unknown_address(client, staff):
    assert "Error 404" in assert_in_our_frame(client.get("/nowhere/"))
    client.force_login(staff.user)
    page = assert_in_our_frame(client.get("/nowhere/"))
    assert 'href="/start/"' in page


def test_a_form_that_is_out_of_date():
    response = Client(enforce_csrf_checks=True).post("/contact/", {})
    assert response.status_code == 403
    assert "form_out_of_date" in codes(assert_in_our_frame(response))


def test_a_forged_host_is_400_and_not_500(client):
    assert client.get("/", HTTP_HOST="evil.example").status_code == 400
