"""API tokens: their pages for owners and managers, and what revokes them."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from dermascan.core.submission import Submission
from patients.models import ApiToken, Revocation, Role
from patients.services import update_member
from tests import factories
from tests.factories import PASSWORD
from tests.hooks import codes
from tests.mails import password_link

pytestmark = pytest.mark.django_db
NEW = "a very different horse and staple"


def works(key: str) -> bool:
    client = Client(headers={"authorization": f"Token {key}"})
    return client.post("/api/v1/explanation/", {"condition": "mel"}).status_code == 200


def key_on(page) -> str:
    return re.findall(r"\b[0-9a-f]{40}\b", page.content.decode())[0]


def test_a_member_makes_a_token_and_reads_it_once(sign_in, staff):
    client = sign_in(staff)
    response = client.post("/accounts/tokens/", {"name": "The scanner", "days": "30"})
    assert response.status_code == 201
    assert "no-store" in response["Cache-Control"]
    key = key_on(response)
    assert works(key)
    assert key not in client.get("/accounts/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert (token.name, token.prefix, token.member) == ("The scanner", key[:8], staff)
    assert token.key_hash == hashlib.sha256(key.encode()).hexdigest()


def test_a_form_that_is_sent_twice_makes_one_token_and_shows_it_twice(sign_in, staff, monkeypatch):
    client, form = sign_in(staff), {"name": "The scanner", "days": "30", "idempotency_key": "of-the-form"}
    first, second = client.post("/accounts/tokens/", form), client.post("/accounts/tokens/", form)
    assert (first.status_code, second.status_code) == (201, 201)
    token, key = ApiToken.objects.get(), key_on(first)
    assert key_on(second) == key
    rows = str([*Session.objects.values(), *Submission.objects.values(), *ApiToken.objects.values()])
    sessions = str([dict(session.get_decoded()) for session in Session.objects.all()])
    assert key not in rows + sessions
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(minutes=2))
    third = client.post("/accounts/tokens/", form).content.decode()
    assert key not in third
    assert "token_already_shown" in codes(third)
    assert ApiToken.objects.get() == token


def test_two_forms_make_two_tokens(sign_in, staff):
    client = sign_in(staff)
    keys = {
        key_on(client.post("/accounts/tokens/", {"name": "A", "days": "7", "idempotency_key": form}))
        for form in ("one", "two", "x" * 300, "")
    }
    assert len(keys) == 4
    assert all(works(key) for key in keys)


@pytest.mark.parametrize("form", [{}, {"name": "", "days": "30"}, {"name": "A", "days": "9999"}, {"name": "A\0"}])
def test_invalid_forms_create_no_token(sign_in, staff, form):
    assert sign_in(staff).post("/accounts/tokens/", form).status_code == 400
    assert not ApiToken.objects.exists()


def test_the_number_of_tokens_is_limited(sign_in, staff):
    client = sign_in(staff)
    answers = [client.post("/accounts/tokens/", {"name": "A", "days": "7"}).status_code for _number in range(21)]
    assert answers == [201] * 20 + [400]


def test_a_member_revokes_their_own_token(sign_in, staff):
    key = factories.api_key(staff)
    token = ApiToken.objects.get()
    client = sign_in(staff)
    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 302
    assert not works(key)
    token.refresh_from_db()
    assert (token.revoked_because, token.revoked_by) == (Revocation.BY_HAND, staff.user)
    before = token.revoked_at
    client.post(f"/accounts/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at == before


def test_a_manager_sees_and_revokes_the_clinics_and_no_other(sign_in, manager, staff, stranger):
    key, foreign = factories.api_key(staff), factories.api_key(stranger)
    client = sign_in(manager)
    page = client.get("/accounts/tokens/").content.decode()
    assert key[:8] in page
    assert foreign[:8] not in page
    assert client.post(f"/accounts/tokens/{stranger.api_tokens.get().pk}/revoke/").status_code == 404
    client.post(f"/accounts/tokens/{staff.api_tokens.get().pk}/revoke/")
    assert (works(key), works(foreign)) == (False, True)


def test_members_do_not_see_colleagues_tokens(sign_in, dermatologist, staff):
    key = factories.api_key(staff)
    client = sign_in(dermatologist)
    assert key[:8] not in client.get("/accounts/tokens/").content.decode()
    assert client.post(f"/accounts/tokens/{staff.api_tokens.get().pk}/revoke/").status_code == 404
    assert works(key)


def test_a_manager_revokes_in_the_administration(sign_in, manager, staff, stranger):
    key, foreign = factories.api_key(staff), factories.api_key(stranger)
    ids = [str(pk) for pk in ApiToken.objects.values_list("pk", flat=True)]
    sign_in(manager).post("/admin/patients/apitoken/", {"action": "revoke", "_selected_action": ids})
    assert (works(key), works(foreign)) == (False, True)


def test_a_changed_password_ends_them(staff):
    key, client = factories.api_key(staff), Client()
    client.post("/accounts/login/", {"login": staff.user.username, "password": PASSWORD})
    assert works(key), "signing in revokes nothing"
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", form).status_code == 302
    assert not works(key)
    assert staff.api_tokens.get().revoked_because == Revocation.PASSWORD


def test_a_reset_password_ends_them(client, staff, django_capture_on_commit_callbacks):
    key = factories.api_key(staff)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/password/reset/", {"email": staff.user.email})
    link = password_link(mail.outbox[0].body)
    form = client.get(link, follow=True)
    assert works(key), "requesting a link revokes nothing, since anyone may request one"
    client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})
    assert not works(key)


def test_an_operator_who_sets_a_password_ends_them(sign_in, staff):
    key = factories.api_key(staff)
    operator = factories.UserFactory(is_staff=True, is_superuser=True)
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert sign_in(operator).post(f"/admin/patients/user/{staff.user_id}/password/", form).status_code == 302
    assert not works(key)


def test_a_password_that_is_taken_away_ends_them(staff):
    key = factories.api_key(staff)
    staff.user.set_unusable_password()
    staff.user.save()
    assert not works(key)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.DERMATOLOGIST}])
def test_deactivation_and_another_role_end_them_for_good(staff, manager, change):
    key, user = factories.api_key(staff), staff.user
    values = {"role": staff.role, "is_active": True, "first_name": "A", "last_name": "B", "email": user.email}
    update_member(member=staff, by=manager.user, **values)
    assert works(key), "changing a name revokes nothing"
    update_member(member=staff, by=manager.user, **{**values, **change})
    assert not works(key)
    update_member(member=staff, by=manager.user, **values)
    assert not works(key)


def test_leaving_the_clinic_ends_them(staff, other_clinic):
    key = factories.api_key(staff)
    staff.clinic = other_clinic
    staff.save()
    assert not works(key)


def test_tokens_end_with_the_membership(staff):
    key = factories.api_key(staff)
    staff.delete()
    assert not works(key)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("api_token_has_a_name", {"name": ""}),
        ("api_token_role_is_known", {"role": "owner"}),
        ("api_token_is_stored_as_a_hash", {"key_hash": "0" * 40}),
        ("api_token_expires_after_creation", {"expires_at": timezone.now() - timedelta(days=400)}),
        ("revoked_api_token_has_a_reason", {"revoked_at": timezone.now()}),
        ("revoked_api_token_has_a_reason", {"revoked_because": "by_hand"}),
        ("revoked_api_token_has_a_reason", {"revoked_at": timezone.now(), "revoked_because": "a whim"}),
    ],
)
def test_constraints(staff, rule, values):
    factories.api_key(staff)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        ApiToken.objects.update(**values)
