import datetime
import threading

import pytest
from django.db import connection

from patients.models import Lesion, Patient, Visit, VisitStatus
from patients.services import (
    AnotherClinic,
    NamesakeRegistered,
    RecordNumberTaken,
    VisitIsClosed,
    add_lesion,
    log_visit,
    register_patient,
    suggest_record_number,
    update_patient,
    update_visit,
)
from tests import factories

BORN = datetime.date(1961, 3, 14)
TODAY = datetime.date.today


@pytest.mark.django_db
class TestRegisterPatient:
    def test_opens_a_record_in_the_clinic_of_the_member(self, staff):
        patient = register_patient(by=staff, given_name="Amara", family_name="Okafor", birth_date=BORN)
        assert (patient.clinic, patient.created_by) == (staff.clinic, staff)
        assert Patient.objects.get().name == "Amara Okafor"

    def test_counts_record_numbers_up(self, staff):
        numbers = [
            register_patient(by=staff, family_name=name, birth_date=BORN).record_number for name in ("A", "B", "C")
        ]
        assert numbers == ["P-00001", "P-00002", "P-00003"]

    def test_refuses_a_taken_record_number_and_says_whose_it_is(self, staff, patient):
        with pytest.raises(RecordNumberTaken) as taken:
            register_patient(by=staff, family_name="B", birth_date=BORN, record_number=patient.record_number)
        assert taken.value.patient == patient
        assert Patient.objects.count() == 1

    def test_a_number_in_other_letters_is_the_same_number(self, staff, patient):
        """The form checks this too; here the service loses a race."""
        same = patient.record_number.lower()
        assert same != patient.record_number
        with pytest.raises(RecordNumberTaken) as taken:
            register_patient(by=staff, family_name="B", birth_date=BORN, record_number=same)
        assert taken.value.patient == patient
        other = factories.PatientFactory(clinic=staff.clinic)
        with pytest.raises(RecordNumberTaken):
            update_patient(patient=other, by=staff, family_name="B", birth_date=BORN, record_number=same)

    def test_a_number_may_change_its_letters(self, staff, patient):
        same = patient.record_number.lower()
        update_patient(patient=patient, by=staff, family_name="B", birth_date=BORN, record_number=same)
        assert Patient.objects.get().record_number == same

    def test_a_namesake_is_registered_only_on_confirmation(self, staff):
        first = register_patient(by=staff, given_name="Amara", family_name="Okafor", birth_date=BORN)
        with pytest.raises(NamesakeRegistered) as refused:
            register_patient(by=staff, given_name="amara", family_name="OKAFOR", birth_date=BORN)
        assert refused.value.patient == first
        register_patient(by=staff, given_name="Amara", family_name="Okafor", birth_date=BORN, is_somebody_else=True)
        assert Patient.objects.count() == 2

    @pytest.mark.parametrize(
        ("given_name", "family_name"),
        [("Müller", "Jürgen"), ("", "Jürgen Müller"), ("Jurgen", "Muller"), (" JÜRGEN", "MÜLLER ")],
        ids=["turned round", "in one field", "without accents", "in capitals"],
    )
    def test_a_namesake_is_recognised_in_other_spellings(self, staff, given_name, family_name):
        register_patient(by=staff, given_name="Jürgen", family_name="Müller", birth_date=BORN)
        with pytest.raises(NamesakeRegistered):
            register_patient(by=staff, given_name=given_name, family_name=family_name, birth_date=BORN)
        register_patient(by=staff, given_name="Jürgen", family_name="Müllner", birth_date=BORN)

    def test_the_search_uses_the_new_name(self, staff, patient):
        update_patient(patient=patient, by=staff, given_name="Łukasz", family_name="Strauß", birth_date=BORN)
        assert list(Patient.objects.matching("lukasz STRAUSS")) == [patient]

    def test_another_clinic_may_use_the_same_number(self, staff, stranger):
        for member in (staff, stranger):
            register_patient(by=member, family_name="A", birth_date=BORN, record_number="7")
        assert Patient.objects.filter(record_number="7").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("newest", "suggested"),
    [
        ("MRN-00041", "MRN-00042"),
        ("99", "100"),
        ("2026/009", "2026/010"),
        ("Okafor", "Okafor-1"),
        ("12b", "12b-1"),
    ],
)
def test_the_suggested_record_number_continues_the_clinics_numbering(clinic, newest, suggested):
    factories.PatientFactory(clinic=clinic, record_number=newest)
    assert suggest_record_number(clinic=clinic) == suggested


@pytest.mark.django_db
def test_the_suggested_record_number_is_free(clinic, other_clinic):
    for number in ("P-2", "p-3", "P-1"):
        factories.PatientFactory(clinic=clinic, record_number=number)
    factories.PatientFactory(clinic=other_clinic, record_number="P-4")
    assert suggest_record_number(clinic=clinic) == "P-4"


@pytest.mark.django_db
@pytest.mark.parametrize("newest", ["9" * 40, "x" * 40])
def test_a_record_number_is_suggested_that_fits_the_column(clinic, newest):
    factories.PatientFactory(clinic=clinic, record_number=newest)
    suggested = suggest_record_number(clinic=clinic)
    assert 0 < len(suggested) <= 40
    assert suggested != newest


@pytest.mark.django_db
def test_update_patient_refuses_the_number_of_another_patient(staff, patient):
    other = factories.PatientFactory(clinic=staff.clinic)
    with pytest.raises(RecordNumberTaken):
        update_patient(
            patient=patient, by=staff, family_name="New", birth_date=BORN, record_number=other.record_number
        )
    patient.refresh_from_db()
    assert patient.family_name != "New"


@pytest.mark.django_db
class TestVisits:
    def test_defaults_to_today_and_the_member_who_logs_it(self, staff, patient):
        visit = log_visit(patient=patient, by=staff, complaint="A mole")
        visit.refresh_from_db()
        assert (visit.date, visit.clinician, visit.status) == (TODAY(), staff, VisitStatus.OPEN)

    def test_update_changes_an_open_visit(self, staff, dermatologist, patient):
        visit = log_visit(patient=patient, by=staff, complaint="A mole")
        update_visit(visit=visit, by=staff, complaint="A sore", date=visit.date, clinician=dermatologist)
        visit.refresh_from_db()
        assert (visit.complaint, visit.clinician) == ("A sore", dermatologist)

    @pytest.mark.parametrize("status", [VisitStatus.SIGNED, VisitStatus.RELEASED])
    def test_update_refuses_a_visit_that_was_signed_since_it_was_read(self, staff, patient, status):
        visit = log_visit(patient=patient, by=staff, complaint="A mole")
        Visit.objects.filter(pk=visit.pk).update(status=status)
        assert visit.is_open, "the test needs the caller's stale copy"
        with pytest.raises(VisitIsClosed):
            update_visit(visit=visit, by=staff, complaint="A sore", date=visit.date, clinician=staff)
        assert Visit.objects.get().complaint == "A mole"


@pytest.mark.django_db
def test_lesions_are_numbered_for_each_patient(staff, patient):
    other = factories.PatientFactory(clinic=staff.clinic)
    numbers = [add_lesion(patient=who, by=staff, body_site="back").number for who in (patient, patient, other)]
    assert numbers == [1, 2, 1]


@pytest.mark.django_db
def test_a_member_of_another_clinic_is_refused(patient, staff, stranger):
    visit = log_visit(patient=patient, by=staff, complaint="A mole")
    with pytest.raises(AnotherClinic):
        log_visit(patient=patient, by=stranger, complaint="A mole")
    with pytest.raises(AnotherClinic):
        log_visit(patient=patient, by=staff, clinician=stranger, complaint="A mole")
    with pytest.raises(AnotherClinic):
        update_visit(visit=visit, by=stranger, complaint="x", date=visit.date, clinician=stranger)
    with pytest.raises(AnotherClinic):
        add_lesion(patient=patient, by=stranger, body_site="back")
    with pytest.raises(AnotherClinic):
        update_patient(patient=patient, by=stranger, family_name="x", birth_date=BORN)
    assert (Visit.objects.count(), Lesion.objects.count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_lesions_added_at_the_same_moment_get_different_numbers():
    patient = factories.PatientFactory()
    start = threading.Barrier(4)
    failures = []

    def add() -> None:
        try:
            start.wait()
            add_lesion(patient=patient, by=patient.created_by, body_site="back")
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(patient.lesions.values_list("number", flat=True)) == [1, 2, 3, 4]
