"""Invented people and records."""

import datetime

import factory
from factory.django import DjangoModelFactory

from patients.models import (
    BodySite,
    Clinic,
    Consent,
    ConsentMethod,
    Decision,
    Lesion,
    Member,
    Patient,
    Purpose,
    Role,
    Side,
    User,
    Visit,
)

PASSWORD = "correct horse battery staple"


class ClinicFactory(DjangoModelFactory):
    class Meta:
        model = Clinic

    name = factory.Sequence(lambda n: f"Clinic {n}")


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    first_name = "Robin"
    last_name = factory.Sequence(lambda n: f"Example{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@clinic.example")
    password = factory.django.Password(PASSWORD)


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = Member

    user = factory.SubFactory(UserFactory, is_staff=factory.SelfAttribute("..is_staff"))
    clinic = factory.SubFactory(ClinicFactory)
    role = Role.STAFF

    class Params:
        # Dermatologists and managers work in the admin.
        is_staff = factory.LazyAttribute(lambda member: member.role != Role.STAFF)


class PatientFactory(DjangoModelFactory):
    class Meta:
        model = Patient

    clinic = factory.SubFactory(ClinicFactory)
    record_number = factory.Sequence(lambda n: f"MRN-{n:05}")
    given_name = "Amara"
    family_name = factory.Sequence(lambda n: f"Okafor{n}")
    birth_date = datetime.date(1965, 3, 14)
    created_by = factory.SubFactory(MemberFactory, clinic=factory.SelfAttribute("..clinic"))


class LesionFactory(DjangoModelFactory):
    class Meta:
        model = Lesion

    patient = factory.SubFactory(PatientFactory)
    number = factory.Sequence(lambda n: n + 1)
    body_site = BodySite.SHOULDER
    side = Side.LEFT
    created_by = factory.SelfAttribute("patient.created_by")


class VisitFactory(DjangoModelFactory):
    class Meta:
        model = Visit

    patient = factory.SubFactory(PatientFactory)
    clinician = factory.SelfAttribute("patient.created_by")
    complaint = "A mole that has changed"


class ConsentFactory(DjangoModelFactory):
    class Meta:
        model = Consent

    patient = factory.SubFactory(PatientFactory)
    purpose = Purpose.SHARING
    number = factory.Sequence(lambda n: n + 1)
    decision = Decision.GIVEN
    method = ConsentMethod.SIGNED_FORM
    recorded_by = factory.SelfAttribute("patient.created_by")
