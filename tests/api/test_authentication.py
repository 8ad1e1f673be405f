import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from patients.models import ApiToken, User
from tests import factories
from tests.api.helpers import BATCH, EXPLANATION, PREDICT, assert_problem, upload

pytestmark = pytest.mark.django_db

GUARDED = [PREDICT, BATCH, EXPLANATION]


def create_token(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_api_token", *arguments, stdout=out)
    return out.getvalue().strip()


def ask(client: Client, path: str = EXPLANATION):
    return client.post(path, {"condition": "mel"})


@pytest.mark.parametrize("path", GUARDED)
def test_a_visitor_is_asked_for_a_token(path):
    response = ask(Client(), path)
    assert_problem(response, 401, "not-authenticated")
    assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("path", GUARDED)
def test_patients_are_refused(api, patient_user, path):
    assert_problem(ask(api(patient_user), path), 403, "permission-denied")


@pytest.mark.parametrize("path", GUARDED)
def test_a_superuser_without_a_clinic_is_refused(api, path):
    superuser = factories.UserFactory(is_superuser=True, is_staff=True)
    assert_problem(ask(api(superuser), path), 403, "permission-denied")


def test_a_deactivated_member_is_refused(api, staff):
    client = api(staff)
    assert ask(client).status_code == 200
    User.objects.filter(pk=staff.user_id).update(is_active=False)
    response = ask(client)
    assert_problem(response, 401, "authentication-failed")
    assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize(
    "header",
    ["Token", "Token a b", "Token " + "0" * 40, "Token \0", "Token ü", "Token " + "f" * 10_000, "token x"],
)
def test_tokens_that_are_none(header):
    assert_problem(ask(Client(headers={"authorization": header})), 401, "authentication-failed")


@pytest.mark.parametrize("header", ["Bearer abc", "Basic YTpi", "", " "])
def test_other_ways_to_authenticate_are_not_known(header):
    assert_problem(ask(Client(headers={"authorization": header})), 401, "not-authenticated")


def test_a_token_decides_over_a_session(api, staff, patient_user, sign_in):
    """Who comes with both is who the token says."""
    key = factories.api_key(staff)
    response = sign_in(patient_user).post(EXPLANATION, {"condition": "mel"}, headers={"authorization": f"Token {key}"})
    assert response.status_code == 200


def test_a_session_needs_the_csrf_token(staff, photograph):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff.user)
    problem = assert_problem(client.post(PREDICT, {"file": upload(photograph)}), 403, "permission-denied")
    assert "CSRF" in problem["detail"]

    client.get("/api/docs/")
    csrf = client.cookies["csrftoken"].value
    response = client.post(PREDICT, {"file": upload(photograph)}, headers={"x-csrftoken": csrf})
    assert response.status_code == 200, response.content


def test_a_token_needs_none(staff):
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"Token {create_token(staff.user.username)}"})
    assert ask(client).status_code == 200


def answer_to(key: str):
    return ask(Client(headers={"authorization": f"Token {key}"}))


def test_each_token_of_the_command_works_until_they_are_renewed(staff):
    username = staff.user.username
    first, second = create_token(username), create_token(username, "--name", "The scanner")
    assert len(first) == 40
    assert answer_to(first).status_code == answer_to(second).status_code == 200

    third = create_token(username, "--renew")
    assert answer_to(third).status_code == 200
    assert_problem(answer_to(first), 401, "authentication-failed")
    assert_problem(answer_to(second), 401, "authentication-failed")


@pytest.mark.parametrize(("expires", "days"), [("7", 7), ("366", 366), (None, 90)])
def test_the_command_is_told_when_a_token_ends(staff, expires, days):
    create_token(staff.user.username, *(["--expires", expires] if expires else []))
    lasts = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=days, minutes=-1) < lasts <= timedelta(days=days)


def test_the_last_day_is_whole(staff):
    day = timezone.localdate() + timedelta(days=3)
    create_token(staff.user.username, "--expires", day.isoformat())
    assert timezone.localtime(ApiToken.objects.get().expires_at - timedelta(seconds=1)).date() == day


@pytest.mark.parametrize("expires", ["0", "367", "-1", "soon", "2020-01-01", "9999999999", "2026-02-30", ""])
def test_the_command_refuses_other_ends(staff, expires):
    with pytest.raises(CommandError):
        create_token(staff.user.username, f"--expires={expires}")
    assert not ApiToken.objects.exists()


def test_nothing_that_is_stored_can_be_sent(staff):
    key = create_token(staff.user.username)
    row = ApiToken.objects.values().get()
    assert not any(key in str(value) for value in row.values())
    assert_problem(answer_to(row["key_hash"]), 401, "authentication-failed")


def test_an_expired_token_says_so(staff):
    key = create_token(staff.user.username)
    ApiToken.objects.update(
        created_at=timezone.now() - timedelta(days=9), expires_at=timezone.now() - timedelta(days=1)
    )
    problem = assert_problem(answer_to(key), 401, "token-expired")
    assert "expired" in problem["detail"]
    assert answer_to(key)["WWW-Authenticate"] == "Token"


def test_the_day_of_the_last_use_is_noted(staff):
    key = create_token(staff.user.username)
    assert ApiToken.objects.get().last_used_on is None
    answer_to(key)
    assert ApiToken.objects.get().last_used_on == timezone.localdate()


def test_the_command_says_why_there_is_no_token(staff, patient_user):
    User.objects.filter(pk=staff.user_id).update(is_active=False)
    superuser = factories.UserFactory(is_superuser=True)
    for username, reason in {
        "nobody": "There is no user named",
        "\0": "NUL",
        staff.user.username: "is deactivated",
        patient_user.username: "is a patient",
        superuser.username: "belongs to no clinic",
    }.items():
        with pytest.raises(CommandError, match=reason):
            create_token(username)
    assert not ApiToken.objects.exists()
