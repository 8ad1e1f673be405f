"""Patients' consents: recorded by the clinic, append-only, visible to the patient."""

import re
import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.urls import reverse

from patients.models import Consent, ConsentMethod, Decision, Patient, Purpose
from patients.services import AnotherClinic, consent_states, record_consent
from tests import factories
from tests.forms import key_in
from tests.hooks import codes, wording
from tests.page_forms import token_of

pytestmark = pytest.mark.django_db
GIVEN, WITHDRAWN = Decision.GIVEN, Decision.WITHDRAWN
ANSWERS = {"decision": GIVEN, "method": ConsentMethod.SIGNED_FORM, "is_confirmed": "on"}


def record(patient, purpose=Purpose.SHARING, decision=GIVEN, method=ConsentMethod.VERBAL, **kwargs) -> Consent:
    return record_consent(
        patient=patient, by=patient.created_by, purpose=purpose, decision=decision, method=method, **kwargs
    )


def sharing() -> set[Patient]:
    return set(Patient.objects.consenting_to(Purpose.SHARING))


def page_of(patient, purpose=Purpose.SHARING) -> str:
    return reverse("patient-consent", args=[patient.pk, purpose])


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class TestTheNewestRecordDecides:
    def test_silence_is_not_consent(self, patient):
        assert sharing() == set()

    def test_giving_withdrawing_and_giving_again(self, patient):
        for decision, patients in ((GIVEN, {patient}), (WITHDRAWN, set()), (GIVEN, {patient})):
            record(patient, decision=decision)
            assert sharing() == patients
        assert [consent.number for consent in patient.consents.order_by("number")] == [1, 2, 3]

    def test_the_number_decides_even_where_the_clock_went_back(self, patient):
        given, withdrawn = record(patient), record(patient, decision=WITHDRAWN)
        assert given.number < withdrawn.number
        factories.ConsentFactory(patient=patient, number=7, decision=GIVEN)
        factories.ConsentFactory(patient=patient, number=5, decision=WITHDRAWN)
        assert sharing() == {patient}

    def test_purposes_and_patients_are_apart(self, patient):
        other = factories.PatientFactory(clinic=patient.clinic)
        record(patient, Purpose.TRAINING)
        record(other, Purpose.SHARING)
        record(other, Purpose.TRAINING, WITHDRAWN)
        assert sharing() == {other}
        assert set(Patient.objects.consenting_to(Purpose.TRAINING)) == {patient}
        states = {state.purpose: state for state in consent_states(other)}
        assert (states[Purpose.SHARING].is_given, states[Purpose.TRAINING].is_given) == (True, False)
        assert consent_states(factories.PatientFactory())[0].newest is None

    def test_a_member_cannot_record_for_another_clinics_patient(self, patient, stranger):
        with pytest.raises(AnotherClinic):
            record_consent(
                patient=patient, by=stranger, purpose=Purpose.SHARING, decision=GIVEN, method=ConsentMethod.VERBAL
            )
        assert not Consent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_members_at_once_do_not_take_the_same_number(patient):
    errors: list[BaseException] = []

    def record_once() -> None:
        try:
            record(Patient.objects.get(pk=patient.pk))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=record_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(patient.consents.values_list("number", flat=True)) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"purpose": "selling"}, "consent_purpose_is_known"),
        ({"decision": "maybe"}, "consent_decision_is_known"),
        ({"method": "guessed"}, "consent_method_is_known"),
        ({"number": 0}, "consent_number_starts_at_one"),
    ],
)
def test_the_database_refuses_the_row(values, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        factories.ConsentFactory(**values)


def test_a_number_is_taken_once(patient):
    factories.ConsentFactory(patient=patient, number=1)
    factories.ConsentFactory(patient=patient, number=1, purpose=Purpose.TRAINING)
    with pytest.raises(IntegrityError, match="number"):
        factories.ConsentFactory(patient=patient, number=1)


def test_no_record_can_be_changed_or_deleted_with_its_patient(patient):
    consent = record(patient)
    for change in ({"decision": WITHDRAWN}, {"method": ConsentMethod.ON_SITE}, {"purpose": Purpose.TRAINING}):
        with pytest.raises(DatabaseError, match="consent_is_append_only"), transaction.atomic():
            Consent.objects.filter(pk=consent.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        patient.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        consent.recorded_by.delete()


class TestOnThePatientsPage:
    @pytest.mark.parametrize("role", ["staff", "dermatologist", "manager"])
    def test_every_role_records_and_the_card_shows_it(self, request, role, patient, sign_in):
        client = sign_in(request.getfixturevalue(role))
        before = words(client.get(patient.get_absolute_url()))
        assert before[before.index("Beyond the patient's") :].count("Not asked") == 2

        answer = client.post(page_of(patient), ANSWERS, follow=True)

        assert answer.redirect_chain[-1][0] == patient.get_absolute_url()
        assert "consent_recorded" in codes(answer)
        card = words(answer)[words(answer).index("Beyond the patient's") :]
        assert "Agreed" in card
        assert card.count("Not asked") == 1
        consent = patient.consents.get()
        assert consent.recorded_by == request.getfixturevalue(role)
        assert (consent.purpose, consent.decision, consent.method) == ("sharing", "given", "signed_form")

    def test_the_history_is_there(self, patient, staff, sign_in):
        record(patient)
        record(patient, decision=WITHDRAWN, method=ConsentMethod.ON_SITE)
        client = sign_in(staff)
        for page in (patient.get_absolute_url(), page_of(patient)):
            text = words(client.get(page))
            assert "History" in text or "Consent history" in text
            assert text.index("Refused or withdrawn · On the site") < text.index("Agreed · Verbally")
            assert f"recorded by {patient.created_by.name}" in text

    @pytest.mark.parametrize(
        ("missing", "message"),
        [
            ("decision", "Choose what the patient decided."),
            ("method", "Choose how the patient gave their decision."),
            ("is_confirmed", "Confirm that the patient understands this"),
        ],
    )
    def test_nothing_is_recorded_without(self, patient, staff, sign_in, missing, message):
        answer = sign_in(staff).post(page_of(patient), {name: ANSWERS[name] for name in ANSWERS if name != missing})
        assert answer.status_code == 200
        assert message in words(answer)
        assert not Consent.objects.exists()

    def test_nothing_is_preselected(self, patient, staff, sign_in):
        assert " checked" not in sign_in(staff).get(page_of(patient)).content.decode()

    @pytest.mark.parametrize("name", ["decision", "method"])
    def test_an_invalid_choice_is_refused(self, patient, staff, sign_in, name):
        for wrong in ("x\0y", "z" * 500):
            assert sign_in(staff).post(page_of(patient), {**ANSWERS, name: wrong}).status_code == 200
        assert not Consent.objects.exists()

    def test_an_unknown_purpose_is_no_page(self, patient, staff, sign_in):
        assert sign_in(staff).get(f"/patients/{patient.pk}/consent/selling/").status_code == 404

    def test_another_clinic_neither_reads_nor_records(self, patient, stranger, sign_in):
        client = sign_in(stranger)
        assert client.get(page_of(patient)).status_code == 404
        assert client.post(page_of(patient), ANSWERS).status_code == 404
        assert not Consent.objects.exists()

    def test_a_double_click_makes_one_record(self, patient, staff, sign_in):
        client = sign_in(staff)
        key = key_in(client.get(page_of(patient)))
        for _ in range(2):
            client.post(page_of(patient), {**ANSWERS, "idempotency_key": key})
        assert Consent.objects.count() == 1
        token = token_of(client, page_of(patient))
        client.post(page_of(patient), {**ANSWERS, "decision": "withdrawn", "idempotency_key": key, **token})
        assert [consent.decision for consent in Consent.objects.order_by("number")] == ["given", "withdrawn"]


class TestThePatientReads:
    def test_their_own_and_whom_to_ask(self, patient, patient_user, sign_in):
        patient.clinic.phone = "01632 960 140"
        patient.clinic.save()
        record(patient, method=ConsentMethod.SIGNED_FORM)
        other = factories.PatientFactory(clinic=patient.clinic)
        record(other, Purpose.TRAINING)

        answer = sign_in(patient_user).get(reverse("my-visits"))

        text = words(answer)
        assert wording("What you agreed to") in text
        assert "Agreed" in text
        assert "Signed form" in text
        assert text.count("Not asked") == 1
        assert f"contact {patient.clinic.name}" in text
        assert "01632 960 140" in text
        assert patient.created_by.name not in text
        assert "/consent/" not in answer.content.decode()

    def test_and_cannot_record(self, patient, patient_user, sign_in):
        client = sign_in(patient_user)
        assert client.get(page_of(patient)).status_code == 403
        assert client.post(page_of(patient), ANSWERS).status_code == 403
        assert not Consent.objects.exists()


class TestInTheAdmin:
    def test_it_is_read_only(self, patient, manager, sign_in):
        consent = record(patient)
        client = sign_in(manager)
        assert patient.record_number in client.get(reverse("admin:patients_consent_changelist")).text
        change = reverse("admin:patients_consent_change", args=[consent.pk])
        assert client.get(change).status_code == 200
        assert client.post(change, {"decision": WITHDRAWN}).status_code == 403
        assert (
            client.post(reverse("admin:patients_consent_delete", args=[consent.pk]), {"post": "y"}).status_code == 403
        )
        assert client.get(reverse("admin:patients_consent_add")).status_code == 403

    def test_another_clinic_sees_none(self, patient, stranger, sign_in):
        record(patient)
        assert patient.record_number not in sign_in(stranger).get(reverse("admin:patients_consent_changelist")).text
