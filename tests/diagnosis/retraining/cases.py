"""Photographs with a settled label and features of the base set, as rows: nothing is decoded."""

from functools import cache

import numpy as np

from diagnosis.images.models import Image
from diagnosis.retraining.models import Part, TestAssignment
from diagnosis.reviews.answers import Basis, Cause, Certainty
from diagnosis.reviews.labels import derive_label
from mlmodel.retraining import BaseSet, read_base_set
from mlmodel.taxonomy import CODES
from mlmodel.versions.serving import active_version
from patients.models import Clinic, Decision, Member, Patient, Purpose, Role
from tests import factories


@cache
def base_set() -> BaseSet:
    return read_base_set()


def agreeing_patient(clinic: Clinic) -> Patient:
    patient = factories.PatientFactory(clinic=clinic)
    factories.ConsentFactory(patient=patient, purpose=Purpose.TRAINING)
    return patient


def withdraw(patient: Patient) -> None:
    factories.ConsentFactory(patient=patient, purpose=Purpose.TRAINING, decision=Decision.WITHDRAWN)


def confirmed(
    *,
    reader: Member,
    code: str = "nv",
    row: int = 0,
    patient: Patient | None = None,
    lesion=None,
    vector=None,
    **image,
) -> Image:
    """A photograph that ``reader`` has settled as ``code``; its features are those of number ``row`` of the replay."""
    active_version()
    patient = patient or (lesion.patient if lesion else agreeing_patient(reader.clinic))
    lesion = lesion or factories.LesionFactory(patient=patient)
    visit = factories.VisitFactory(patient=patient)
    made: Image = factories.ImageFactory(lesion=lesion, visit=visit, features=None, **image)
    values = base_set().replay.features[row] if vector is None else vector
    factories.ImageFeaturesFactory(
        image=made, backbone_sha256=base_set().backbone_sha256, vector=values.astype("<f2").tobytes()
    )
    made.reviews.create(reviewer=reader, answer=code, certainty=Certainty.CERTAIN, basis=Basis.HISTOPATHOLOGY)
    derive_label(image=made, cause=Cause.REVIEW)
    return made


def confirmed_cases(reader: Member, count: int, *, start: int = 0) -> list[Image]:
    """As many photographs of as many patients, with the base set's own labels; another start, other photographs."""
    labels = base_set().replay.labels
    rows = np.linspace(start, len(labels) - 1 - start, count).astype(int)
    return [confirmed(reader=reader, code=CODES[labels[row]], row=int(row)) for row in rows]


def in_turn(images: list[Image]) -> list[Image]:
    """Give every fourth lesion to the clinic's locked test and the others to learning: nothing is left to a draw."""
    for place, image in enumerate(images):
        TestAssignment.objects.create(lesion=image.lesion, part=Part.TRAIN if place % 4 else Part.TEST)
    return images


def a_reader(clinic: Clinic) -> Member:
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
