"""Every address that touches a patient leaves an entry in the audit trail, found from the URL configuration.

The rules of the permission tests say who may open an address; what they open must be told. An address of no patient
is named in ``NO_PATIENT`` with the reason, and fails if it leaves an entry about one after all.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.test import Client, override_settings

from patients.audit.resources import RESOURCES
from patients.models import AuditAction, AuditEntry, AuditOutcome, Patient
from tests.permissions.addresses import ADDRESSES, Address
from tests.permissions.answers import ROLES, Case
from tests.permissions.world import World, undone

pytestmark = [pytest.mark.slow, pytest.mark.services]

# Who opens an address, where several may.
FIRST = ("dermatologist", "manager", "staff", "patient", "superuser")
ACCOUNT = "a page of one's own account, or of accounts; their events are in tests/patients/test_audit_accounts.py"
NETWORK = "about the network, which holds no patient"
SITE = "a page of the site, without records"
CLINIC = "about the clinic's settings or equipment"
NUMBERS = "figures of many, and no record"

NO_PATIENT = {
    **dict.fromkeys(
        ("home", "start", "about", "contact", "contact-thanks", "quick-check", "session", "favicon", "api-status",
         "api-schema", "api-docs", "api-unknown", "metrics"), SITE
    ),
    **dict.fromkeys(
        ("network", "network-report", "network-report-json", "versions", "version", "version-history",
         "version-proposal", "api-explanation", "admin:retraining", "admin:retraining-run", "admin:retraining-start",
         "admin:retraining-resume", "admin:retraining-abandon"), NETWORK
    ),
    **dict.fromkeys(
        ("devices", "device", "device-new", "device-calibration", "thresholds", "reminders", "clinic-history",
         "member-history"), CLINIC
    ),
    **dict.fromkeys(("watch", "watch-site", "watch-acknowledge", "admin:review-agreement"), NUMBERS),
    **dict.fromkeys(
        ("admin:review-mode", "admin:review-unit", "admin:review-undo", "admin:review-skipped", "privacy-mode",
         "today-filter", "filter-save", "filter-delete"), "a choice of the member's own, without a record"
    ),
    "patient-new": "an empty form; what it creates is written by the model's signal",
    "api-predict": "an empty request; what it stores is written by the model's signal",
    "api-predict-batch": "an empty request; what it stores is written by the model's signal",
    "api-tokens": ACCOUNT,
    "api-token-revoke": ACCOUNT,
    **dict.fromkeys(
        ("admin:index", "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done",
         "admin:jsi18n", "admin:app_list", "admin:auth_user_password_change"), "a page of the admin, without records"
    ),
    "admin:autocomplete": "refused: no form of the admin looks anything up while one types",
    # Nobody has the code of a link whose signature is unknown; with it, see tests/diagnosis/opinions.
    **dict.fromkeys(
        ("shared-opinion", "shared-opinion-answer", "shared-opinion-photograph"), "this signature opens nothing"
    ),
}  # fmt: skip
# Tables of the admin that hold no patient's data; kinds by app and model.
NO_PATIENT_TABLES = {
    "patients.clinic", "patients.member", "patients.user", "patients.apitoken", "mlmodel.modelversion",
    "dermascan.contactmessage", "dermascan.workerheartbeat", "auth.group", "account.emailaddress",
    "mfa.authenticator",
}  # fmt: skip
# Records of several patients, or of a user.
NO_ONE_PATIENT = {"correction", "message-again"}
NO_ONE_PATIENT_TABLES = {"patients.outgoingmessage"}
# Models with a way to a patient whose changes are not written, and why.
CALCULATED = "calculated from a record whose change is written"
UNWRITTEN = {
    **dict.fromkeys(
        ("ImageFeatures", "ImageEmbedding", "Prediction", "HeatMap", "FullPicture", "Measurement", "QueueEntry",
         "ConfirmedLabel", "LabelChange", "PlanSource", "ContradictedReport", "ResultReview", "TestAssignment",
         "ManifestEntry", "LesionSummary", "VisitSummary"), CALCULATED
    ),
    **dict.fromkeys(("OutgoingMessage", "Reminder"), "mail about something that is written"),
    **dict.fromkeys(("PhotographOnScreen", "QueueSkip", "SeenAnswer"), "where a reader was; the read is written"),
    **dict.fromkeys(
        ("OpinionPhotograph", "OpinionReview", "OpinionAccess"), "part of a request for an opinion, which is written"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        yield World()


def opener(case: Case) -> tuple[str, str] | None:
    """Return the method and the role with which something is shown or tried; None if nobody gets that far."""
    methods = (("get", case.get), ("post", case.post))
    for statuses in ((200, 201, 302, 422, 409, 400), (403,)):  # a refusal, where the admin lets nobody delete
        for method, answers in methods:
            for role in FIRST:
                if answers[role] in statuses and (method, answers[role]) != ("get", 302):
                    return method, role
    return None


def entries_after(world: World, role: str, method: str, path: str) -> list[AuditEntry]:
    """Return what a request leaves in the trail. Its changes are rolled back."""
    client = Client(raise_request_exception=False)
    if role in world.sessions:
        client.cookies["sessionid"] = world.sessions[role]
    with undone():
        before = AuditEntry.objects.count()
        response = getattr(client, method)(path)
        if response.streaming:
            list(response)
        entries = list(AuditEntry.objects.order_by("pk"))[before:]
        for entry in entries:
            assert entry.request_id == response["X-Request-ID"]
    return entries


def told(address: Address) -> list[Any]:
    return [
        pytest.param(address, case, id=f"{address.name or address.route}-{number}")
        for number, case in enumerate(address.cases())
    ]


def is_without_patients(address: Address) -> bool:
    if address.name == "admin:":
        return True  # addresses of an old Django, which lead to the page
    if address.table:
        return address.table[0] in NO_PATIENT_TABLES or address.table[1] == "add"
    return address.name in NO_PATIENT or address.route.startswith(("accounts/", "admin/(?P"))


TOUCHING = [told_case for address in ADDRESSES if not is_without_patients(address) for told_case in told(address)]
OTHERS = [told_case for address in ADDRESSES if is_without_patients(address) for told_case in told(address)]


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "case"), TOUCHING)
def test_an_address_of_a_patient_leaves_an_entry(world, address, case):
    found = opener(case)
    if found is None:
        pytest.skip("nobody gets that far with this record")  # one of an address's other cases does
    method, role = found

    entries = entries_after(world, role, method, address.path(case, world))

    assert entries, f"{method.upper()} /{address.route} as {role} leaves nothing; see patients/audit/resources.py."
    user = world.users[role]
    assert {entry.actor_id for entry in entries} == {user.pk}
    is_of_one = address.name not in NO_ONE_PATIENT and not (
        address.table and address.table[0] in NO_ONE_PATIENT_TABLES
    )
    if case.ids and is_of_one:
        assert world.objects["patient"].pk in {entry.patient for entry in entries}, entries
    home = world.objects["patient"].clinic_id
    assert role == "superuser" or {entry.chain.clinic_id for entry in entries} == {home}


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "case"), OTHERS)
def test_an_address_of_no_patient_leaves_none_about_one(world, address, case):
    found = opener(case)
    if found is None:
        return
    method, role = found
    path = address.path(case, world)
    about = [entry for entry in entries_after(world, role, method, path) if entry.patient]
    assert not about, f"/{address.route} is about a patient: take it out of NO_PATIENT."


def test_every_touching_address_is_opened_by_somebody():
    opened = {param.values[0].name for param in TOUCHING if opener(param.values[1])}
    assert {param.values[0].name for param in TOUCHING} - opened == set()


def test_every_exception_is_an_address():
    assert set(NO_PATIENT) - {address.name for address in ADDRESSES} == set()


@pytest.mark.django_db
def test_another_clinic_is_refused_in_its_own_chain_without_the_patient(world):
    patient = world.objects["patient"]
    (entry,) = entries_after(world, "stranger", "get", f"/patients/{patient.pk}/")
    stranger = world.users["stranger"]
    assert stranger is not None
    assert (entry.outcome, entry.patient, entry.record) == (AuditOutcome.REFUSED, None, str(patient.pk))
    assert entry.chain.clinic_id == stranger.member.clinic_id != patient.clinic_id


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_every_role_at_a_patients_record(world, role):
    patient = world.objects["patient"]
    entries = entries_after(world, role, "get", f"/patients/{patient.pk}/")
    outcomes = {"staff": "success", "dermatologist": "success", "manager": "success", "anonymous": None}
    expected = outcomes.get(role, "refused")
    assert [entry.outcome for entry in entries] == ([expected] if expected else [])
    for entry in entries:
        assert (entry.action, entry.kind) == (AuditAction.READ, "patient")


def test_changes_of_every_record_of_a_patient_are_written():
    """A model with foreign keys that lead to a patient is registered, or named with the reason why not."""
    written = {model.__name__ for model, resource in RESOURCES.items() if resource.changes}
    of_patients = {model.__name__ for model in apps.get_models() if leads_to_a_patient(model)}
    assert of_patients - written - set(UNWRITTEN) == set()
    assert set(UNWRITTEN) - of_patients == set()
    assert not set(UNWRITTEN) & written


def leads_to_a_patient(model: Any, seen: frozenset[Any] = frozenset()) -> bool:
    if model is Patient:
        return True
    targets = {field.related_model for field in model._meta.fields if field.is_relation} - seen - {model}
    return any(leads_to_a_patient(target, seen | {model}) for target in targets if target is not None)
