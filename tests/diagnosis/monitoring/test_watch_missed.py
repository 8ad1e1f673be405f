"""A malignant diagnosis that the network called calm is an incident, whether it can name it or not."""

import pytest

from diagnosis.monitoring.hourly_checks import misses_too_many, watch_clinic
from diagnosis.monitoring.models import Incident
from diagnosis.reviews.services import record_review, retract_review
from tests import factories


def turned_out(reader, answer: str, tier: str = "calm", **facts):
    """A photograph of which the network said ``tier``, and a dermatologist ``answer``."""
    image = factories.ImageFactory(lesion__patient__clinic=reader.clinic, **facts)
    factories.PredictionFactory(image=image, tier=tier)
    text = "Its words" if answer.startswith("other") else ""
    return record_review(image=image, reviewer=reader, answer=answer, certainty="certain", other_text=text)


def alive() -> list[Incident]:
    return list(Incident.objects.alive().filter(kind="missed"))


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("mel", "Melanoma (1)"), ("scc", "Squamous cell carcinoma (1)"), ("merkel", "Merkel cell carcinoma (1)"),
        ("lentigo_maligna", "Lentigo maligna (1)"), ("other_malignant", "Something else, malignant (1)"),
    ],
)  # fmt: skip
def test_a_missed_one_opens_an_incident_that_names_it_and_no_patient(clinic, dermatologist, answer, name):
    review = turned_out(dermatologist, answer)
    watch_clinic(clinic)
    [incident] = alive()
    assert "called 1 calm" in incident.words
    assert name in incident.words
    assert "Its words" not in incident.words
    retract_review(review=review, by=dermatologist)
    watch_clinic(clinic)
    assert alive() == []


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ("scc", {"tier": "urgent"}),
        ("merkel", {"tier": "watch"}),
        ("nv", {}),
        ("psoriasis", {}),
        ("other", {}),
        ("scc", {"measures": {"smartphone": 1.0}}),
    ],
)
def test_what_was_found_or_is_harmless_opens_none(clinic, dermatologist, answer, facts):
    turned_out(dermatologist, answer, **facts)
    watch_clinic(clinic)
    assert alive() == []


def test_melanomas_that_were_found_hide_no_carcinoma_that_was_missed(clinic, dermatologist):
    for _number in range(30):
        turned_out(dermatologist, "mel", "urgent")
    watch_clinic(clinic)
    assert alive() == []
    turned_out(dermatologist, "scc")
    watch_clinic(clinic)
    [incident] = alive()
    assert "outside the seven classes" in incident.words
    assert "Melanoma" not in incident.words


def test_another_clinics_are_its_own(clinic, stranger):
    turned_out(stranger, "merkel")
    watch_clinic(clinic)
    assert alive() == []


@pytest.mark.parametrize(
    ("calm", "count", "is_alarm"),
    [(0, 0, False), (0, 1, False), (1, 1, True), (1, 10, False), (12, 100, False), (25, 100, True)],
)
def test_about_as_many_as_the_release_says_are_no_alarm(calm, count, is_alarm):
    assert misses_too_many(calm, count, sensitivity=0.88) == is_alarm
