"""Sign-ins, failures, permissions, promotions and commands in the audit trail."""

import io

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.test import Client
from django.urls import reverse

from mlmodel.versions.serving import active_version
from patients.audit.commands import AuditedCommand
from patients.models import AuditAction, AuditEntry, AuditOutcome, Revocation, Role
from patients.services import create_clinic
from patients.services.clinics import update_member
from tests import factories
from tests.factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.services]

# Commands that see no patient: they read files, not the database of a clinic.
WITHOUT_PATIENTS = {
    "build_reference", "build_release", "evaluate", "export_backbone", "import_ham10000", "import_isic",
    "pack_base_set", "predict", "train", "train_segmenter", "unfold_backbone",
}  # fmt: skip
OURS = ("dermascan", "patients", "diagnosis", "mlmodel")


def told(action: AuditAction, **where) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action, **where).order_by("pk"))


def sign_in(login: str, password: str):
    client = Client()
    return client, client.post("/accounts/login/", {"login": login, "password": password}, REMOTE_ADDR="203.0.113.9")


def test_signing_in_and_out(dermatologist):
    client, response = sign_in(dermatologist.user.username, PASSWORD)
    assert response.status_code == 302
    (entry,) = told(AuditAction.SIGN_IN)
    assert (entry.actor, entry.role, entry.address) == (dermatologist.user, "dermatologist", "203.0.113.9")
    assert entry.chain.clinic == dermatologist.clinic
    client.post("/accounts/logout/")
    (entry,) = told(AuditAction.SIGN_OUT)
    assert entry.actor == dermatologist.user


def test_a_wrong_password_names_the_account_and_not_what_was_typed(staff):
    sign_in(staff.user.username, "wrong-password-typed")
    (entry,) = told(AuditAction.SIGN_IN_FAILED)
    assert (entry.actor, entry.outcome, entry.kind) == (staff.user, AuditOutcome.REFUSED, "password")
    assert entry.chain.clinic == staff.clinic
    assert "wrong-password-typed" not in str(vars(entry))


def test_an_unknown_account_is_told_by_the_installation(db):
    sign_in("my-password-by-mistake", "x")
    (entry,) = told(AuditAction.SIGN_IN_FAILED)
    assert (entry.actor, entry.chain.clinic, entry.address) == (None, None, "203.0.113.9")
    assert "my-password-by-mistake" not in str(vars(entry))


def test_a_wrong_second_factor(staff):
    TOTP.activate(staff.user, generate_totp_secret())
    client, _response = sign_in(staff.user.username, PASSWORD)
    assert not told(AuditAction.SIGN_IN)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    (entry,) = told(AuditAction.SIGN_IN_FAILED)
    assert (entry.actor, entry.kind) == (staff.user, "second factor")


def test_a_wrong_token(db):
    client = Client(headers={"authorization": "Token wrong"})
    assert client.post(reverse("api-predict")).status_code == 401
    (entry,) = told(AuditAction.SIGN_IN_FAILED)
    assert (entry.kind, entry.chain.clinic) == ("api token", None)


def test_guesses_at_tokens_do_not_fill_the_trail(db):
    client = Client(headers={"authorization": "Token wrong"})
    for _n in range(40):
        client.post(reverse("api-explanation"))
    assert len(told(AuditAction.SIGN_IN_FAILED)) == 30


def test_a_token_acts_as_its_member(dermatologist, patient):
    image = factories.ImageFactory(lesion=factories.LesionFactory(patient=patient))
    client = Client(headers={"authorization": f"Token {factories.api_key(dermatologist)}"})
    assert client.get(reverse("api-similar", args=[image.pk])).status_code == 200
    (entry,) = told(AuditAction.READ)
    assert (entry.actor, entry.role, entry.patient) == (dermatologist.user, "dermatologist", patient.pk)


def test_a_new_role_is_a_permission_of_the_members_clinic(manager, staff, other_clinic):
    before = len(told(AuditAction.PERMISSION))
    update_member(
        member=staff,
        by=manager.user,
        role=Role.DERMATOLOGIST,
        is_active=True,
        first_name="A",
        last_name="B",
        email=staff.user.email,
    )
    entries = told(AuditAction.PERMISSION)[before:]
    assert ("member", str(staff.user.pk), "dermatologist") in [
        (entry.kind, entry.record, entry.query) for entry in entries
    ]
    assert {entry.chain.clinic for entry in entries} == {staff.clinic}


def test_tokens_groups_superusers_and_passwords_are_permissions(staff, manager):
    factories.api_key(staff)
    staff.api_tokens.all().revoke(because=Revocation.BY_HAND)
    staff.user.groups.add(Group.objects.create(name="A group"))
    staff.user.is_superuser = True
    staff.user.save(update_fields=["is_superuser"])
    staff.user.set_password("another good password")
    staff.user.save()
    kinds = {(entry.kind, entry.query) for entry in told(AuditAction.PERMISSION, chain__clinic=staff.clinic)}
    assert {
        ("api token", "created"),
        ("api token", "revoked: by_hand"),
        ("user_groups", "add"),
        ("account", "is_active is_superuser"),
        ("password", ""),
    } <= kinds


def test_a_sign_in_is_no_change_of_permissions(staff):
    before = len(told(AuditAction.PERMISSION))
    sign_in(staff.user.username, PASSWORD)
    assert len(told(AuditAction.PERMISSION)) == before


def test_a_promotion_is_told_with_its_reason(dermatologist):
    version = active_version()
    version.decisions.create(
        version=version, replaced=version, kind="promote", by=dermatologist.user, reason="Better at melanoma."
    )
    (entry,) = told(AuditAction.PROMOTION)
    assert (entry.record, entry.reason) == (str(version.pk), "Better at melanoma.")
    assert entry.chain.clinic == dermatologist.clinic


def test_a_command_is_told_with_its_options(staff):
    call_command("create_api_token", staff.user.username, "--expires", "7", stdout=io.StringIO(), stderr=io.StringIO())
    (entry,) = told(AuditAction.COMMAND)
    assert (entry.record, entry.role, entry.place) == ("create_api_token", "operator", "manage.py create_api_token")
    assert f"username={staff.user.username}" in entry.query
    (token,) = told(AuditAction.PERMISSION, kind="api token")
    assert token.place == "manage.py create_api_token", "what it changes is told as made by it"


def test_a_failed_command_is_told_as_failed(db):
    with pytest.raises(CommandError):
        call_command("create_api_token", "nobody")
    assert [entry.outcome for entry in told(AuditAction.COMMAND)] == [AuditOutcome.SUCCESS, AuditOutcome.FAILED]


def test_every_command_is_told_or_sees_no_patient():
    commands = {name: app for name, app in get_commands().items() if str(app) in OURS}
    audited = {
        name for name, app in commands.items() if isinstance(load_command_class(str(app), name), AuditedCommand)
    }
    assert set(commands) - audited == WITHOUT_PATIENTS


def test_a_new_clinic_has_a_chain(db):
    member = create_clinic(name="Westside", manager_username="wm", email="wm@westside.example")
    assert member.clinic.audit_chain.entries.exists()
