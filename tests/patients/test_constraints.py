"""Every database constraint, violated by one row."""

import datetime

import pytest
from django.db import IntegrityError, transaction

from patients.models import Clinic, Lesion, Member, Patient, Visit
from tests import factories

pytestmark = pytest.mark.django_db


def refused(constraint: str):
    """Expect a violation of ``constraint``. For a unique constraint SQLite names the columns, not the constraint."""
    return pytest.raises(IntegrityError, match=constraint)


@pytest.mark.parametrize(
    ("factory", "values", "constraint"),
    [
        (factories.ClinicFactory, {"name": ""}, "clinic_has_a_name"),
        (factories.MemberFactory, {"role": "owner"}, "member_role_is_known"),
        (factories.PatientFactory, {"record_number": ""}, "patient_has_a_record_number"),
        (factories.PatientFactory, {"given_name": "", "family_name": ""}, "patient_has_a_name"),
        (factories.PatientFactory, {"birth_date": datetime.date(1899, 12, 31)}, "birth_date_is_plausible"),
        (factories.PatientFactory, {"sex": "x"}, "patient_sex_is_known"),
        (factories.PatientFactory, {"skin_type": "VII"}, "skin_type_is_known"),
        (factories.VisitFactory, {"status": "deleted"}, "visit_status_is_known"),
        (factories.VisitFactory, {"complaint": ""}, "visit_has_a_complaint"),
        (factories.VisitFactory, {"date": datetime.date(1989, 12, 31)}, "visit_date_is_plausible"),
        (factories.LesionFactory, {"number": 0}, "lesion_number_starts_at_one"),
        (factories.LesionFactory, {"body_site": "tail"}, "body_site_is_known"),
        (factories.LesionFactory, {"side": "up"}, "lesion_side_is_known"),
        *(
            (factories.LesionFactory, {"noticed_on": day, "noticed_precision": precision}, "lesion_noticed_on")
            for precision, day in [
                ("week", datetime.date(2025, 1, 1)),
                ("month", datetime.date(2025, 1, 2)),
                ("month", None),
                ("year", datetime.date(2025, 1, 2)),
                ("year", datetime.date(2025, 2, 1)),
                ("year", None),
            ]
        ),
    ],
)
def test_the_database_refuses_the_row(factory, values, constraint):
    with refused(constraint):
        factory(**values)


def test_two_clinics_cannot_share_a_name(clinic):
    with refused("clinic.name|clinic_name"):
        Clinic.objects.create(name=clinic.name)


def test_a_record_number_is_unique_in_its_clinic_alone(patient, other_clinic):
    factories.PatientFactory(clinic=other_clinic, record_number=patient.record_number)
    for same in (patient.record_number, patient.record_number.lower()):
        with refused("record_number_is_unique_in_the_clinic"), transaction.atomic():
            factories.PatientFactory(clinic=patient.clinic, record_number=same)


def test_a_lesion_number_is_unique_for_its_patient_alone(patient):
    factories.LesionFactory(patient=patient, number=1)
    factories.LesionFactory(patient=factories.PatientFactory(clinic=patient.clinic), number=1)
    with refused("number"):
        factories.LesionFactory(patient=patient, number=1)


def test_a_user_is_a_member_of_one_clinic(staff, other_clinic):
    with refused("user_id"):
        Member.objects.create(user=staff.user, clinic=other_clinic, role="staff")


def test_an_account_belongs_to_one_patient(patient, patient_user):
    with refused("user_id"):
        factories.PatientFactory(clinic=patient.clinic, user=patient_user)


def test_nothing_with_records_under_it_can_be_deleted(staff, patient):
    visit = factories.VisitFactory(patient=patient, clinician=staff)
    lesion = factories.LesionFactory(patient=patient, created_by=staff)
    for row in (patient.clinic, patient, staff, staff.user):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.delete()
    assert Visit.objects.filter(pk=visit.pk).exists()
    assert Lesion.objects.filter(pk=lesion.pk).exists()
    assert Patient.objects.filter(pk=patient.pk).exists()
