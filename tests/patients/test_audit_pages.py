"""The manager's page of the audit trail, its file, what is unusual, and the patient's own view."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from patients.audit.chain import chain_of, write_sealed
from patients.models import AuditAction, AuditEntry, AuditOutcome, AuditPurpose, LegalBasis
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.services]

PAGE, FILE, UNUSUAL, MINE = (reverse(name) for name in ("audit", "audit-csv", "audit-unusual", "my-access"))


def write(member, *, ago=timedelta(days=1), **values) -> AuditEntry:
    entry = AuditEntry(
        chain_id=chain_of(member.clinic_id),
        at=timezone.now() - ago,
        actor=member.user,
        actor_name=member.user.username,
        role=member.role,
        **{
            "action": AuditAction.READ,
            "purpose": AuditPurpose.TREATMENT,
            "legal_basis": LegalBasis.CARE,
            **values,
        },
    )
    write_sealed([entry])
    return entry


def shown(response) -> list[AuditEntry]:
    return [entry for entry, _patient, _role in response.context["rows"]]


@pytest.fixture
def entries(staff, dermatologist, stranger, patient):
    other = factories.PatientFactory(clinic=staff.clinic, family_name="Zwartveld")
    return {
        "staff": write(staff, patient=patient.pk, kind="patient"),
        "dermatologist": write(dermatologist, patient=other.pk, kind="lesion"),
        "export": write(staff, action=AuditAction.EXPORT, kind="visits", count=12),
        "refused": write(staff, outcome=AuditOutcome.REFUSED, kind="patient", ago=timedelta(days=9)),
        "elsewhere": write(stranger, kind="patient"),
    }


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"action": "export"}, {"export"}),
        ({"patient": "zwartveld", "action": "read"}, {"dermatologist"}),
        ({"patient": "nobody of this name"}, set()),
        ({"action": "read", "since": "today-3"}, {"staff", "dermatologist"}),
        ({"action": "read", "until": "today-3"}, {"refused"}),
        ({"member": "dermatologist", "action": "read"}, {"dermatologist"}),
        ({"member": "staff", "action": "export"}, {"export"}),
    ],
)
def test_the_filter(sign_in, manager, staff, dermatologist, entries, asked, found):
    days = {"today-3": (timezone.localdate() - timedelta(days=3)).isoformat()}
    members = {"staff": staff.pk, "dermatologist": dermatologist.pk}
    query = {name: days.get(value, value) for name, value in asked.items()}
    if "member" in query:
        query["member"] = members[query["member"]]
    client = sign_in(manager)
    assert {entry.pk for entry in shown(client.get(PAGE, query))} == {entries[name].pk for name in found}


def test_without_a_filter_it_is_the_clinics_own(sign_in, manager, entries):
    found = {entry.pk for entry in shown(sign_in(manager).get(PAGE))}
    assert {entry.pk for name, entry in entries.items() if name != "elsewhere"} <= found
    assert {AuditEntry.objects.get(pk=key).chain.clinic_id for key in found} == {manager.clinic_id}


def test_another_clinics_members_and_patients_are_not_found(sign_in, manager, stranger, entries):
    client = sign_in(manager)
    assert client.get(PAGE, {"member": stranger.pk}).status_code == 400
    foreign = factories.PatientFactory(clinic=stranger.clinic, family_name="Elsewhere")
    write(stranger, patient=foreign.pk)
    assert shown(client.get(PAGE, {"patient": "elsewhere"})) == []


@pytest.mark.parametrize(
    "query",
    [{"member": "1; DROP"}, {"member": "\0"}, {"action": "x"}, {"since": "tomorrow"}, {"until": "99999-01-01"},
     {"patient": "x" * 500}],
)  # fmt: skip
def test_hostile_filters_are_refused(sign_in, manager, entries, query):
    client = sign_in(manager)
    for address in (PAGE, FILE):
        response = client.get(address, query)
        assert (response.status_code, shown(response)) == (400, [])


@pytest.mark.parametrize("page", ["x", "-1", "0", "9" * 30])
def test_pages_that_do_not_exist(sign_in, manager, entries, page):
    assert sign_in(manager).get(PAGE, {"page": page}).status_code == 200


def test_the_file_holds_what_the_filter_finds_and_is_told(sign_in, manager, entries):
    response = sign_in(manager).get(FILE, {"action": "export"})
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))
    assert [(row["Kind"], row["Count"], row["Hash"]) for row in rows] == [
        ("visits", "12", entries["export"].entry_hash)
    ]
    told = AuditEntry.objects.get(kind="audit trail")
    assert (told.action, told.count, told.purpose) == (AuditAction.EXPORT, 1, AuditPurpose.OPERATIONS)


def test_a_formula_in_a_search_is_not_run(sign_in, manager, staff):
    write(staff, kind="patients", query="=1+1")
    body = b"".join(sign_in(manager).get(FILE, {"action": "read"})).decode()
    assert "'=1+1" in body


def test_a_colleagues_record(sign_in, manager, staff, dermatologist, stranger):
    them = {"given_name": "Ada", "family_name": "Byrne"}
    dermatologist.user.first_name, dermatologist.user.last_name = them["given_name"].upper(), them["family_name"]
    dermatologist.user.save()
    colleague = factories.PatientFactory(clinic=staff.clinic, **them)
    for member in (staff, dermatologist):
        write(member, patient=colleague.pk)
    write(staff, patient=factories.PatientFactory(clinic=staff.clinic).pk)
    found = sign_in(manager).get(UNUSUAL).context["colleagues"]
    assert {(row.name, row.patient.pk, row.is_own) for row in found} == {
        (staff.user.username, colleague.pk, False),
        (dermatologist.user.username, colleague.pk, True),
    }


def test_a_name_looked_up_and_left(sign_in, manager, staff, dermatologist, patient):
    hour = timedelta(hours=1)
    left = write(staff, kind="patients", query="okafor", ago=hour)
    write(staff, kind="patients", query="okaf", ago=hour + timedelta(seconds=2))  # while typing
    write(dermatologist, kind="patients", query="okafor", ago=hour)
    write(dermatologist, patient=patient.pk, ago=hour - timedelta(minutes=2))
    write(staff, kind="patients", query="now", ago=timedelta(minutes=1))  # may still open one
    write(manager, kind="patients", query="nobody", count=0, ago=hour)
    write(manager, kind="patients", query="", ago=hour)
    assert sign_in(manager).get(UNUSUAL).context["left"] == [left]


def test_many_records_in_an_hour(sign_in, manager, staff, dermatologist, settings):
    settings.AUDIT_MANY_AN_HOUR = 3
    since_noon = timezone.now() - (timezone.now() - timedelta(days=1)).replace(hour=12, minute=0)
    patients = [factories.PatientFactory(clinic=staff.clinic) for _n in range(3)]
    for number, patient in enumerate(patients):
        write(staff, patient=patient.pk, ago=since_noon - timedelta(minutes=number))
        write(dermatologist, patient=patients[0].pk, ago=since_noon - timedelta(minutes=number))
    found = sign_in(manager).get(UNUSUAL).context["many"]
    assert [(row.name, row.patients) for row in found] == [(staff.user.username, 3)]


def test_another_clinic_sees_nothing_of_it(sign_in, manager, other_clinic, staff, settings):
    settings.AUDIT_MANY_AN_HOUR = 1
    write(staff, kind="patients", query="okafor", ago=timedelta(hours=1))
    write(staff, patient=factories.PatientFactory(clinic=staff.clinic).pk)
    other = factories.MemberFactory(clinic=other_clinic, role="manager")
    context = sign_in(other).get(UNUSUAL).context
    assert [context[name] for name in ("colleagues", "left", "many")] == [[], [], []]


def test_patients_see_who_looked_at_their_record_and_at_no_other(sign_in, staff, dermatologist, patient, patient_user):
    for _n in range(3):
        write(dermatologist, patient=patient.pk)
    write(staff, patient=factories.PatientFactory(clinic=staff.clinic).pk)
    write(staff, patient=patient.pk, outcome=AuditOutcome.REFUSED)
    rows = sign_in(patient_user).get(MINE).context["rows"]
    assert [(row["who"], row["count"]) for row in rows] == [(dermatologist.name, 3)]


def test_in_privacy_mode_no_search_and_no_name_is_shown(sign_in, manager, staff, patient):
    write(staff, kind="patients", query="Okafor-Typed", ago=timedelta(hours=1))
    write(staff, patient=patient.pk)
    client = sign_in(manager)
    client.post(reverse("privacy-mode"), {"on": "1"})
    for address in (PAGE, UNUSUAL, FILE):
        text = client.get(address).text
        assert "Okafor-Typed" not in text
        assert patient.family_name not in text
