"""The audit trail: chained by clinic, append-only, and what verify_audit says of an altered one."""

import io
import json
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from patients.audit import note
from patients.audit.chain import CONTENT, chain_of, hash_of, seal_everything, write_sealed
from patients.audit.spool import take_in_spool
from patients.models import AuditAction, AuditChain, AuditEntry, AuditOutcome, AuditPurpose, LegalBasis, Patient
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def entry(clinic=None, **values) -> AuditEntry:
    return AuditEntry(
        **{
            "chain_id": chain_of(clinic.pk if clinic else None),
            "action": AuditAction.READ,
            "purpose": AuditPurpose.TREATMENT,
            "legal_basis": LegalBasis.CARE,
            **values,
        }
    )


def verified(*arguments) -> tuple[bool, str]:
    """Return whether verify_audit holds the trail intact, and what it prints."""
    out = io.StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out)
    except CommandError:
        return False, out.getvalue()
    return True, out.getvalue()


def forge(sql: str, *values) -> None:
    """Change the table as somebody with the database's password would: without the trigger."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # What was written in this transaction has to be settled before the table changes.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE patients_auditentry DISABLE TRIGGER audit_entry_is_append_only")
        else:
            cursor.execute("DROP TRIGGER audit_entry_is_append_only")
        cursor.execute(sql, values)


@pytest.fixture
def three(clinic, other_clinic):
    write_sealed([entry(clinic, kind="patient", record=str(n)) for n in range(3)])
    write_sealed([entry(other_clinic)])
    seal_everything()
    return list(AuditEntry.objects.filter(chain__clinic=clinic).order_by("sequence"))[-3:]


def test_an_intact_trail(three, clinic, other_clinic):
    is_intact, printed = verified()
    assert is_intact
    lengths = dict(AuditChain.objects.values_list("clinic__name", "length"))
    assert f"{clinic}: {lengths[clinic.name]} entries, intact." in printed
    assert f"{other_clinic}: {lengths[other_clinic.name]} entries, intact." in printed


@pytest.mark.parametrize("column", [name for name in CONTENT if name not in ("at", "actor_id", "patient", "count")])
def test_no_column_changes_unnoticed(three, clinic, column):
    value = {"action": "delete", "outcome": "refused", "purpose": "HOPERAT", "legal_basis": "gdpr-32"}.get(column, "x")
    with pytest.raises(IntegrityError, match="audit_entry_is_append_only"), transaction.atomic():
        AuditEntry.objects.filter(pk=three[1].pk).update(**{column: value})
    forge(f"UPDATE patients_auditentry SET {column} = %s WHERE id = %s", value, three[1].pk)
    is_intact, printed = verified()
    assert not is_intact
    assert f"{clinic}: {three[1].sequence - 1} entries, BROKEN: entry {three[1].sequence} was changed." in printed


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "2020-01-01 00:00:00"), ("actor_id", 7), ("patient", "0" * 32), ("count", 1000)],
)
def test_nor_who_when_whom_and_how_many(three, column, value):
    forge(f"UPDATE patients_auditentry SET {column} = %s WHERE id = %s", value, three[1].pk)
    assert f"entry {three[1].sequence} was changed" in verified()[1]


def test_every_field_but_the_place_in_the_chain_is_hashed():
    columns = {field.attname for field in AuditEntry._meta.fields}
    assert columns - set(CONTENT) == {"id", "chain_id", "sequence", "previous_hash", "entry_hash"}


def test_a_sealed_entry_is_not_sealed_again(three):
    with pytest.raises(IntegrityError, match="audit_entry_is_append_only"), transaction.atomic():
        AuditEntry.objects.filter(pk=three[1].pk).update(entry_hash="0" * 64)


def test_an_entry_in_the_middle_taken_out_is_named(three):
    AuditEntry.objects.filter(pk=three[1].pk).delete()
    is_intact, printed = verified()
    assert (is_intact, f"entry {three[1].sequence} is missing" in printed) == (False, True)


def test_a_tail_cut_off_is_noticed_by_the_head(three, clinic):
    AuditEntry.objects.filter(pk=three[2].pk).delete()
    is_intact, printed = verified("--clinic", clinic.name)
    assert (is_intact, f"entry {three[2].sequence} is missing: the chain ends early" in printed) == (False, True)


def test_a_rewritten_chain_is_noticed_by_what_was_shipped(three, clinic, tmp_path):
    """Whoever may write the database makes a chain that fits; not the file on another machine."""
    shipped = tmp_path / "shipped.jsonl"
    lines = [{"clinic": str(clinic.pk), "sequence": each.sequence, "hash": each.entry_hash} for each in three]
    shipped.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert verified("--anchors", str(shipped))[0]

    AuditEntry.objects.filter(pk=three[2].pk).delete()
    AuditChain.objects.filter(clinic=clinic).update(length=three[1].sequence, head=three[1].entry_hash)
    assert verified()[0], "the database alone shows nothing"
    is_intact, printed = verified("--anchors", str(shipped))
    assert (is_intact, f"entry {three[2].sequence} is missing: it was shipped" in printed) == (False, True)


def test_a_whole_chain_taken_away_is_noticed_by_what_was_shipped(tmp_path):
    shipped = tmp_path / "shipped.jsonl"
    shipped.write_text(json.dumps({"clinic": "8f2b", "sequence": 1, "hash": "0"}) + "\n")
    is_intact, printed = verified("--anchors", str(shipped))
    assert (is_intact, "8f2b" in printed) == (False, True)


@pytest.mark.parametrize("content", ["no JSON", "{}", '{"clinic": "a", "sequence": "b", "hash": "c"}', "\0"])
def test_anchors_that_are_none(tmp_path, content):
    path = tmp_path / "anchors"
    path.write_text(content)
    for anchors in (path, tmp_path / "nowhere"):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("verify_audit", "--anchors", str(anchors))


def test_an_unknown_clinic_is_named(three):
    with pytest.raises(CommandError, match="no clinic called"):
        call_command("verify_audit", "--clinic", "Nowhere")


def test_an_entry_that_was_moved_does_not_fit(three):
    first, second = three[0], three[1]
    forge("UPDATE patients_auditentry SET sequence = 1000000 WHERE id = %s", first.pk)
    forge_again = "UPDATE patients_auditentry SET sequence = %s WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(forge_again, [first.sequence, second.pk])
        cursor.execute(forge_again, [second.sequence, first.pk])
    assert f"entry {first.sequence} does not follow the one before it" in verified()[1]


def test_half_a_seal_is_refused(clinic):
    with pytest.raises(IntegrityError, match="audit_entry_is_sealed_as_a_whole"), transaction.atomic():
        entry(clinic, sequence=1_000_000).save()


@pytest.mark.parametrize("column", ["action", "outcome", "purpose", "legal_basis"])
def test_unknown_values_are_refused(clinic, column):
    with pytest.raises(IntegrityError, match=f"audit_{column}_is_known"), transaction.atomic():
        entry(clinic, **{column: "other"}).save()


def test_there_is_one_chain_of_the_installation():
    chain_of(None)
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditChain.objects.create(clinic=None)


def test_a_number_is_given_once(three):
    with pytest.raises(IntegrityError), transaction.atomic():
        entry(sequence=1, previous_hash="", entry_hash="0", chain_id=three[0].chain_id).save()


def test_a_change_is_in_the_transaction_of_the_change(clinic, patient):
    """Neither without the other: a change that is rolled back leaves no entry."""
    before = AuditEntry.objects.count()
    with transaction.atomic():
        factories.PatientFactory(clinic=clinic)
        assert AuditEntry.objects.count() > before
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before


def test_what_a_crashed_process_left_is_sealed_by_the_next(clinic, patient):
    """In a test nothing commits, so that the change's entry stays as if the process had ended before sealing."""
    waiting = AuditEntry.objects.unsealed().get(patient=patient.pk, action=AuditAction.CREATE)
    assert verified()[0]
    waiting.refresh_from_db()
    assert waiting.entry_hash == hash_of(waiting)


def test_what_nobody_sealed_for_long_is_a_fault(clinic, patient, monkeypatch):
    AuditEntry.objects.all().delete()
    entry(clinic, at=timezone.now() - timedelta(hours=1)).save()
    monkeypatch.setattr("patients.management.commands.verify_audit.seal_everything", lambda: None)
    AuditChain.objects.update(length=0, head="")
    assert "not sealed for over 10 minutes" in verified()[1]


def test_an_entry_says_who_what_whom_from_where_and_why(sign_in, dermatologist, patient):
    client = sign_in(dermatologist)
    response = client.get(
        reverse("patient", args=[patient.pk]), REMOTE_ADDR="203.0.113.9", headers={"user-agent": "Browser\x1b[1m 1"}
    )
    read = AuditEntry.objects.get(action=AuditAction.READ)
    assert read.actor == dermatologist.user
    assert (read.actor_name, read.role, read.chain.clinic) == (
        dermatologist.user.username,
        "dermatologist",
        dermatologist.clinic,
    )
    assert (read.patient, read.kind, read.record, read.count) == (patient.pk, "patient", str(patient.pk), 1)
    assert (read.purpose, read.legal_basis) == (AuditPurpose.TREATMENT, LegalBasis.CARE)
    assert (read.address, read.agent, read.place) == ("203.0.113.9", "Browser[1m 1", "patient")
    assert (read.request_id, read.outcome) == (response["X-Request-ID"], AuditOutcome.SUCCESS)


def test_a_list_is_one_entry_with_its_number_and_what_was_looked_up(sign_in, staff, clinic):
    for _n in range(3):
        factories.PatientFactory(clinic=clinic, family_name="Brandt")
    sign_in(staff).get(reverse("patients"), {"q": "brandt"})
    read = AuditEntry.objects.get(action=AuditAction.READ)
    assert (read.kind, read.count, read.query, read.patient) == ("patients", 3, "brandt", None)


def test_a_file_of_a_list_is_an_export(sign_in, staff, clinic):
    for _n in range(2):
        factories.VisitFactory(patient__clinic=clinic)
    response = sign_in(staff).get(reverse("visits-csv"))
    assert AuditEntry.objects.filter(action=AuditAction.EXPORT).count() == 1, "before a line was sent"
    assert len(b"".join(response).splitlines()) == 3
    export = AuditEntry.objects.get(action=AuditAction.EXPORT)
    assert (export.kind, export.count) == ("visits", 2)


def test_a_patients_own_access_has_its_own_purpose(sign_in, patient, patient_user):
    sign_in(patient_user).get(reverse("my-visits"))
    read = AuditEntry.objects.get(action=AuditAction.READ)
    assert (read.role, read.purpose, read.legal_basis) == ("patient", "PATRQT", LegalBasis.OWN_ACCESS)
    assert (read.patient, read.chain.clinic) == (patient.pk, patient.clinic)


def test_nothing_is_shown_if_nothing_can_be_written(sign_in, staff, patient, monkeypatch):
    client = sign_in(staff)
    client.raise_request_exception = False

    def refuse(entries):
        raise DatabaseError("a fault")

    monkeypatch.setattr("patients.audit.spool.write_sealed", refuse)
    response = client.get(reverse("patient", args=[patient.pk]))
    assert (response.status_code, patient.family_name in response.text) == (500, False)


def test_the_spool_is_taken_in_once(sign_in, staff, patient, settings, tmp_path, monkeypatch):
    settings.AUDIT_SPOOL = str(tmp_path / "spool.jsonl")
    client = sign_in(staff)

    def full(entries):
        raise DatabaseError("full") from OSError(28, "No space left on device")

    monkeypatch.setattr("patients.audit.spool.write_sealed", full)
    assert client.get(reverse("patient", args=[patient.pk])).status_code == 200
    assert not AuditEntry.objects.filter(action=AuditAction.READ).exists()

    monkeypatch.setattr("patients.audit.spool.write_sealed", write_sealed)
    assert (take_in_spool(), take_in_spool()) == (1, 0)
    read = AuditEntry.objects.get(action=AuditAction.READ)
    assert (read.patient, read.actor, read.at < timezone.now()) == (patient.pk, staff.user, True)
    assert verified()[0]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_at_once_leave_no_gap(clinic, other_clinic):
    """Two clinics, eight writers, reads and changes: every number once, every link whole."""
    begun = AuditEntry.objects.count()
    keys = [clinic.pk, other_clinic.pk]
    faults: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(10):
                note(AuditAction.READ, clinic_id=keys[(number + turn) % 2], kind="patient", record=turn)
                if turn % 5 == 0:
                    factories.PatientFactory(clinic=clinics[number % 2], created_by=creators[number % 2])
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    clinics = [clinic, other_clinic]
    creators = [factories.MemberFactory(clinic=each) for each in clinics]
    threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert not AuditEntry.objects.unsealed().exists()
    assert AuditEntry.objects.filter(kind="patient", action=AuditAction.READ).count() == 80
    assert Patient.objects.count() == 16
    assert AuditEntry.objects.count() > begun + 96
    assert verified()[0]
