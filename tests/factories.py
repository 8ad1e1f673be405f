"""Factories for fictional people and records."""

import datetime
import hashlib
import uuid

import factory
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from factory.django import DjangoModelFactory

from diagnosis.followup.models import LesionPlan, NextStep
from diagnosis.images.models import Device, HeatMap, Image, ImageFeatures, Prediction
from diagnosis.monitoring.models import Incident
from mlmodel.taxonomy import CODES, MALIGNANT_CODES
from mlmodel.versions.models import ModelVersion
from patients.models import (
    BodySite,
    Clinic,
    Consent,
    ConsentMethod,
    Decision,
    Lesion,
    LesionSymptoms,
    Member,
    OutgoingMessage,
    Patient,
    Purpose,
    RiskFact,
    Role,
    Side,
    User,
    Visit,
)
from patients.services import create_api_token
from tests.places import ROOT

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
        # Dermatologists and managers use the admin.
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


class RiskFactFactory(DjangoModelFactory):
    class Meta:
        model = RiskFact

    patient = factory.SubFactory(PatientFactory)
    kind = "melanoma"
    number = factory.Sequence(lambda n: n + 1)
    answer = "yes"
    recorded_by = factory.SelfAttribute("patient.created_by")


class LesionSymptomsFactory(DjangoModelFactory):
    class Meta:
        model = LesionSymptoms

    lesion = factory.SubFactory(LesionFactory)
    visit = factory.SubFactory(VisitFactory, patient=factory.SelfAttribute("..lesion.patient"))
    number = factory.Sequence(lambda n: n + 1)
    recorded_by = factory.SelfAttribute("lesion.patient.created_by")


# --- Photographs without the network -------------------------------------------------------------------------

_SAMPLE = ROOT / "static" / "samples" / "ISIC_0024310.jpg"


def sample_file() -> str:
    """Return the storage name of a shipped photograph, which is stored on first use."""
    name = "images/a-sample.jpg"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(_SAMPLE.read_bytes()))
    return name


class ModelVersionFactory(DjangoModelFactory):
    class Meta:
        model = ModelVersion
        django_get_or_create = ("sha256",)

    name = "invented"
    sha256 = "a" * 64
    backbone_sha256 = "b" * 64
    head_sha256 = "c" * 64
    card = ""
    status = "retired"


class ImageFactory(DjangoModelFactory):
    """An image row with a sample's file and zero features; nothing is decoded or analysed."""

    class Meta:
        model = Image
        skip_postgeneration_save = True

    lesion = factory.SubFactory(LesionFactory)
    visit = factory.SubFactory(VisitFactory, patient=factory.SelfAttribute("..lesion.patient"))
    uploaded_by = factory.SelfAttribute("lesion.created_by")
    original = display = thumbnail = factory.LazyFunction(sample_file)
    original_name = "sample.jpg"
    media_type = "image/jpeg"
    sha256 = factory.LazyFunction(lambda: hashlib.sha256(uuid.uuid4().bytes).hexdigest())
    width, height = 600, 450
    verdict = "accepted"
    features = factory.RelatedFactory("tests.factories.ImageFeaturesFactory", factory_related_name="image")


class ImageFeaturesFactory(DjangoModelFactory):
    class Meta:
        model = ImageFeatures

    image = factory.SubFactory(ImageFactory, features=None)
    backbone_sha256 = "b" * 64
    vector = bytes(16)


class PredictionFactory(DjangoModelFactory):
    """A fictional prediction: ``code`` has the probability ``share``, the other classes share the rest evenly."""

    class Meta:
        model = Prediction

    class Params:
        share = 0.7

    image = factory.SubFactory(ImageFactory)
    model_version = factory.SubFactory(ModelVersionFactory)
    code = "nv"
    tier = "calm"

    @classmethod
    def _adjust_kwargs(cls, **values):
        share = values.pop("share", 0.7)
        shares = {code: share if code == values["code"] else (1 - share) / 6 for code in CODES}
        return {**values, **shares, "malignant_probability": sum(shares[code] for code in MALIGNANT_CODES)}


class DeviceFactory(DjangoModelFactory):
    class Meta:
        model = Device

    clinic = factory.SubFactory(ClinicFactory)
    name = factory.Sequence(lambda n: f"DermLite {n}")
    lens = "25 mm"
    created_by = factory.SubFactory(MemberFactory, clinic=factory.SelfAttribute("..clinic"))


class OutgoingMessageFactory(DjangoModelFactory):
    class Meta:
        model = OutgoingMessage

    kind = "invitation"
    user = factory.SubFactory("tests.factories.UserFactory")
    address = factory.LazyAttribute(lambda o: o.user.email)
    give_up_at = factory.LazyFunction(lambda: timezone.now() + datetime.timedelta(days=4))


class HeatMapFactory(DjangoModelFactory):
    class Meta:
        model = HeatMap

    prediction = factory.SubFactory(PredictionFactory)
    code = factory.SelfAttribute("prediction.explained_code")
    file = factory.LazyFunction(sample_file)


class IncidentFactory(DjangoModelFactory):
    class Meta:
        model = Incident

    clinic = factory.SubFactory(ClinicFactory)
    kind = "drift"
    words = "The newest photographs differ."
    opened_at = factory.LazyFunction(timezone.now)


class LesionPlanFactory(DjangoModelFactory):
    """A plan to see a lesion again in a month."""

    class Meta:
        model = LesionPlan

    lesion = factory.SubFactory(LesionFactory)
    clinic = factory.SelfAttribute("lesion.patient.clinic")
    step = NextStep.SEE_AGAIN
    due_on = factory.LazyFunction(lambda: timezone.localdate() + datetime.timedelta(days=30))
    stated_by = factory.SelfAttribute("lesion.created_by")


def api_key(member: Member) -> str:
    """Return the key of a new API token."""
    _token, key = create_api_token(
        member=member, name="A program", expires_at=timezone.now() + datetime.timedelta(days=30)
    )
    return key
