"""A void visit counts nowhere: every figure is what it was before the visit."""

import pytest
from django.urls import reverse

from diagnosis.corrections.acts.void import void_visit
from diagnosis.corrections.carrying_out import undo
from diagnosis.images.models import Prediction
from diagnosis.monitoring.activity import days_of, queue_of
from diagnosis.monitoring.confirmed_diagnoses import diagnoses_of
from diagnosis.monitoring.hourly_checks import CHECKS, CheckContext
from diagnosis.monitoring.label_agreement import cells_of
from diagnosis.monitoring.models import IncidentKind
from diagnosis.monitoring.prometheus import metrics_text
from diagnosis.record.timeline.events import events_of
from diagnosis.record.today.page import header_count
from diagnosis.reviews.agreement import review_for_agreement
from diagnosis.reviews.changed_minds import changed_minds
from diagnosis.reviews.models import Review
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from diagnosis.reviews.treating import patients_treated_by
from mlmodel.versions.serving import now_serving
from patients.models import Role
from tests import factories
from tests.diagnosis.corrections.conftest import REASON

pytestmark = pytest.mark.django_db


def read_again(image, reader):
    """Have a reader answer blinded, and otherwise once the network's answer was seen."""
    record_review(image=image, reviewer=reader, answer="nv", certainty="probable", was_blinded=True)
    record_review(image=image, reviewer=reader, answer="mel", certainty="certain", was_blinded=False)


def at_a_visit(lesion, reader, **image):
    visit = factories.VisitFactory(patient=lesion.patient, clinician=factories.MemberFactory(clinic=reader.clinic))
    row = factories.ImageFactory(lesion=lesion, visit=visit, **image)
    factories.PredictionFactory(image=row, code="mel", tier="urgent")
    refresh_queue_entry(image=row)
    return row


# Each figure as whatever can be compared; `of` holds the clinic, its members and the lesion.
FIGURES = {
    "activity": lambda of: days_of(of.clinic, days=7),
    "activity of all clinics": lambda of: days_of(None, days=7),
    "queue": lambda of: queue_of(of.clinic).waiting,
    "diagnoses": lambda of: diagnoses_of(of.clinic, days=84),
    "agreement with labels": lambda of: cells_of(of.clinic, days=84),
    "agreement of readers": lambda of: review_for_agreement(reviews=Review.objects.all(), since=None).opinions,
    "changed minds": lambda of: changed_minds(reviews=Review.objects.all(), since=None),
    "metrics": lambda of: [
        line
        for line in metrics_text().splitlines()
        if line.startswith(("dermascan_images_24h", "dermascan_predictions_24h", "dermascan_queue_waiting"))
    ],
    "events of the lesion": lambda of: [event.kind for event in events_of(of.lesion) if event.kind != "excluded"],
    "treated patients": lambda of: list(patients_treated_by(of.reader).values_list("pk", flat=True)),
    "visits": lambda of: len(of.get("visits").context["page"]),
    "visits as a file": lambda of: len(b"".join(of.get("visits-csv")).splitlines()),
    "visits of the patient": lambda of: len(of.get("patient", of.lesion.patient_id).context["visits"]),
    "photographs of the lesion": lambda of: [
        card.count for card in of.get("patient", of.lesion.patient_id).context["lesions"]
    ],
    "lesions with a malignant label": lambda of: len(of.get("lesions", label="malignant").context["page"]),
    "last visit in the list": lambda of: [row.last_visit for row in of.get("patients").context["page"]],
    "Today": lambda of: [(each.code, each.count) for each in of.get("today").context["sections"]],
    "header": lambda of: header_count(of.reader),
}


class World:
    """One clinic with a lesion that was photographed at a visit of yesterday."""

    def __init__(self, clinic, patient, sign_in) -> None:
        self.clinic = clinic
        self.reader = factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)
        self.lesion = factories.LesionFactory(patient=patient)
        self.client = sign_in(self.reader)

    def get(self, name, *keys, **words):
        return self.client.get(reverse(name, args=keys), words)


@pytest.fixture
def world(clinic, patient, sign_in):
    return World(clinic, patient, sign_in)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_what_it_was_before_the_void_visit(world, name):
    figure = FIGURES[name]
    before = figure(world)
    waiting = at_a_visit(world.lesion, world.reader)
    read = at_a_visit(world.lesion, world.reader)
    read_again(read, world.reader)
    counted = figure(world)
    assert counted != before, "the visit counts while it is not void"
    corrections = [void_visit(visit=image.visit, by=world.reader, reason=REASON) for image in (waiting, read)]
    assert figure(world) == before
    for correction in reversed(corrections):
        undo(correction=correction, by=world.reader, reason=REASON)
    assert figure(world) == counted, "it counts again once that is undone"


def test_the_hourly_checks_do_not_count_it(world, monkeypatch):
    monkeypatch.setattr("diagnosis.monitoring.hourly_checks.FEWEST_COUNTED", 1)
    context = CheckContext(world.clinic)
    image = at_a_visit(world.lesion, world.reader, verdict="blurred")
    finding = CHECKS[IncidentKind.REFUSALS](context)
    assert finding is not None
    assert finding.is_alarm
    void_visit(visit=image.visit, by=world.reader, reason=REASON)
    assert CHECKS[IncidentKind.REFUSALS](context) is None


def test_nor_does_the_choice_of_thresholds(world):
    def answers() -> int:
        return world.get("thresholds").context["options"].answers

    image = at_a_visit(world.lesion, world.reader)
    Prediction.objects.filter(image=image).update(model_version=now_serving().version)
    assert answers() == 1
    void_visit(visit=image.visit, by=world.reader, reason=REASON)
    assert answers() == 0


def test_the_times_of_all_answers_only_grow(world):
    image = at_a_visit(world.lesion, world.reader)
    line = "dermascan_prediction_seconds_count 1"
    assert line in metrics_text()
    void_visit(visit=image.visit, by=world.reader, reason=REASON)
    assert line in metrics_text()
