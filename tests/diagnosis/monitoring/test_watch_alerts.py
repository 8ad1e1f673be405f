"""Agreement, calibration and latency: an incident when the evidence is there, none on a handful, told once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse

from diagnosis.images.models import Prediction
from diagnosis.monitoring.hourly_checks import FEWEST_COUNTED, watch_clinic
from diagnosis.monitoring.models import Incident, IncidentKind, IncidentState
from diagnosis.monitoring.tasks import watch_clinics
from diagnosis.reviews.services import record_review
from mlmodel.releases.release import load_release
from mlmodel.versions.serving import active_version
from patients.outbox import deliver_due
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.services]


def answered(clinic, dermatologist, *labels: str, share: float = 0.7, **values) -> None:
    """Answers of the network that answers now, all nevus with the probability ``share``, each with its label."""
    patient = factories.PatientFactory(clinic=clinic)
    for label in labels:
        # A lesion and a visit each: whoever reviews one of a hundred of a lesion goes through them all.
        image = factories.ImageFactory(lesion__patient=patient, features=None)
        factories.PredictionFactory(
            image=image, model_version=values.get("version") or active_version(), code="nv", share=share
        )
        record_review(image=image, reviewer=dermatologist, answer=label, certainty="certain")


def kinds(incidents: list[Incident]) -> list[str]:
    return sorted(incident.kind for incident in incidents)


def test_agreement_below_the_limit_is_told_once_and_acknowledged(clinic, dermatologist, settings, sign_in):
    settings.WATCH_EMAIL = "operator@clinic.example"
    # 15 of 60: the interval ends at 37 %. They were 25 % sure, so calibration is as good as it can be.
    answered(clinic, dermatologist, *["nv"] * 15, *["bkl"] * 45, share=0.25)
    watch_clinics()
    deliver_due()
    watch_clinics()
    deliver_due()
    (message,) = mail.outbox
    assert "15 of 60" in message.body
    assert "25 %, at most 37 % within its 95 % interval" in message.body
    incident = Incident.objects.get()
    assert incident.kind == IncidentKind.AGREEMENT
    sign_in(dermatologist).post(reverse("watch-acknowledge", args=[incident.pk]))
    watch_clinics()
    incident.refresh_from_db()
    assert (incident.state, len(mail.outbox)) == (IncidentState.ACKNOWLEDGED, 1)


def test_agreement_ends_when_the_share_itself_is_back(clinic, dermatologist, settings):
    settings.WATCH_CALIBRATION_MARGIN = 1.0
    answered(clinic, dermatologist, *["nv"] * 15, *["bkl"] * 45)
    assert kinds(watch_clinic(clinic)) == ["agreement"]
    # 35 of 80: the interval reaches over the limit, the share does not.
    answered(clinic, dermatologist, *["nv"] * 20)
    assert watch_clinic(clinic) == []
    assert Incident.objects.get().state == IncidentState.OPEN
    answered(clinic, dermatologist, *["nv"] * 10)
    watch_clinic(clinic)
    assert Incident.objects.get().state == IncidentState.OVER


def test_a_handful_of_labels_proves_nothing(clinic, dermatologist):
    answered(clinic, dermatologist, *["bkl"] * (FEWEST_COUNTED - 1), share=0.99)
    assert watch_clinic(clinic) == []


def test_an_interval_that_reaches_the_limit_proves_nothing(clinic, dermatologist):
    # 22 of 50 is less than half, and with 95 % certainty up to 58 %.
    answered(clinic, dermatologist, *["nv"] * 22, *["bkl"] * 28, share=0.45)
    assert watch_clinic(clinic) == []


def test_labels_of_an_earlier_version_and_of_another_clinic_do_not_count(clinic, dermatologist, stranger):
    earlier = factories.ModelVersionFactory()
    answered(clinic, dermatologist, *["bkl"] * 60, share=0.99, version=earlier)
    answered(stranger.clinic, stranger, *["bkl"] * 60, share=0.99)
    assert watch_clinic(clinic) == []


def test_probabilities_that_are_less_true_than_at_release_are_noticed(clinic, dermatologist):
    # 99 % sure, right in 66 of 100: agreement is above its limit.
    answered(clinic, dermatologist, *["nv"] * 66, *["bkl"] * 34, share=0.99)
    (incident,) = watch_clinic(clinic)
    assert incident.kind == IncidentKind.CALIBRATION
    assert "the calibration error is 0.330 on 100 photographs" in incident.words
    released = load_release().settings["locked_test"]["photographs"]["calibration_error"]["value"]
    assert f"{released:.3f} at release" in incident.words


def test_probabilities_that_chance_explains_are_left_in_peace(clinic, dermatologist, settings):
    settings.WATCH_CALIBRATION_MARGIN = 0.0
    # 70 % sure, right in 62 of 100: 0.08, and 0.11 is what a perfect network shows once in a hundred times.
    answered(clinic, dermatologist, *["nv"] * 62, *["bkl"] * 38)
    assert watch_clinic(clinic) == []


def test_slow_answers_are_noticed_and_end(clinic, settings):
    settings.WATCH_SLOWEST_SECONDS = 3.0
    lesion = factories.LesionFactory(patient__clinic=clinic)
    visit = factories.VisitFactory(patient=lesion.patient)

    def work(count: int, seconds: float, **values) -> None:
        for _ in range(count):
            image = factories.ImageFactory(lesion=lesion, visit=visit, features=None)
            factories.PredictionFactory(image=image, duration=timedelta(seconds=seconds), **values)

    work(FEWEST_COUNTED, 9, was_rescored=True)
    work(FEWEST_COUNTED - 3, 0.2)
    work(2, 9)
    assert watch_clinic(clinic) == []  # 49 answers
    work(1, 0.2)
    assert watch_clinic(clinic) == []  # 2 of 50 are fewer than one in 20
    work(2, 9)
    (incident,) = watch_clinic(clinic)
    assert incident.kind == IncidentKind.LATENCY
    assert "9.0 seconds or more" in incident.words
    assert watch_clinic(clinic) == []
    work(200, 0.2)
    watch_clinic(clinic)
    incident.refresh_from_db()
    assert incident.state == IncidentState.OVER
    assert Prediction.objects.filter(was_rescored=True).count() == FEWEST_COUNTED


def test_a_figure_that_wavers_about_its_limit_is_one_incident(clinic, settings):
    settings.WATCH_MOST_REFUSED = 0.3
    factories.ImageFactory.create_batch(16, lesion__patient__clinic=clinic, features=None, verdict="blurred")
    factories.ImageFactory.create_batch(36, lesion__patient__clinic=clinic, features=None)
    assert kinds(watch_clinic(clinic)) == ["refusals"]
    factories.ImageFactory.create_batch(3, lesion__patient__clinic=clinic, features=None)  # 29 %
    watch_clinic(clinic)
    assert Incident.objects.get().state == IncidentState.OPEN
    factories.ImageFactory.create_batch(6, lesion__patient__clinic=clinic, features=None)  # 26 %
    watch_clinic(clinic)
    assert Incident.objects.get().state == IncidentState.OVER
