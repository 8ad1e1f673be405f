"""A nevus at 48 % beside a melanoma at 47 % is an urgent melanoma to whoever compares, filters or counts."""

import pytest
from django.urls import reverse

from diagnosis.images.models import Prediction
from diagnosis.reviews.agreement import review_for_agreement
from diagnosis.reviews.models import QueueEntry, Review
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from mlmodel.taxonomy import CODES
from patients.models import Role
from tests import factories


@pytest.fixture(autouse=True)
def _nobody_is_drawn(settings):
    settings.REVIEW_RANDOM_SHARE = 0


def answered(patient, *, tier: str = "urgent", measures=None, **shares: float):
    """A photograph with these probabilities, the rest evenly among the others."""
    image = factories.ImageFactory(lesion__patient=patient, measures=measures or {})
    prediction = factories.PredictionFactory(image=image, tier=tier)
    rest = (1 - sum(shares.values())) / (len(CODES) - len(shares))
    every = {code: shares.get(code, rest) for code in CODES}
    Prediction.objects.filter(pk=prediction.pk).update(
        **every,
        code=max(CODES, key=lambda code: every[code]),
        malignant_probability=every["mel"] + every["bcc"] + every["akiec"],
    )
    refresh_queue_entry(image=image)
    return image


def reasons(image) -> list[str]:
    return QueueEntry.objects.get(image=image).reasons


def say(image, reader, answer, certainty="certain"):
    return record_review(image=image, reviewer=reader, answer=answer, certainty=certainty)


@pytest.fixture
def colleague(clinic):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


@pytest.mark.parametrize(
    ("tier", "answer", "waits"),
    [
        ("urgent", "nv", True), ("urgent", "scar", True), ("watch", "nv", True), ("calm", "nv", False),
        ("urgent", "mel", False), ("urgent", "merkel", False), ("watch", "bcc", False), ("calm", "mel", True),
        ("calm", "merkel", True),
    ],
)  # fmt: skip
def test_one_readers_label_is_compared_with_what_drives_the_tier(
    patient, dermatologist, colleague, tier, answer, waits
):
    image = answered(patient, tier=tier, mel=0.47, nv=0.48)
    say(image, dermatologist, answer)
    assert ("network_disagrees" in reasons(image)) == waits


def test_who_is_unsure_disagrees_with_it_too(patient, dermatologist):
    nevus, melanoma = answered(patient, mel=0.47, nv=0.48), answered(patient, mel=0.47, nv=0.48)
    say(nevus, dermatologist, "nv", "unsure")
    say(melanoma, dermatologist, "mel", "unsure")
    assert "network_disagrees" in reasons(nevus)
    assert "network_disagrees" not in reasons(melanoma)


def test_a_photograph_without_a_dermatoscope_waits_as_what_its_page_says(patient, dermatologist, colleague):
    image = answered(patient, tier="calm", nv=0.9, measures={"smartphone": 1.0})
    assert reasons(image) == ["no_dermatoscope"]
    say(image, dermatologist, "bkl")
    assert reasons(image) == [], "it names no class that one could disagree with"


def test_readers_and_network_are_compared_about_danger_by_the_tier(patient, dermatologist):
    for answer in ("mel", "scc"):
        say(answered(patient, mel=0.47, nv=0.48), dermatologist, answer)
    say(answered(patient, tier="calm", nv=0.9), dermatologist, "nv")
    found = review_for_agreement(reviews=Review.objects.all(), since=None)
    assert (found.network[0].danger.count, found.network[0].danger.observed) == (3, 1.0)


def test_the_admin_filters_by_the_class_that_it_shows(patient, dermatologist, sign_in):
    images = {
        "mel": answered(patient, mel=0.47, nv=0.48),
        "bcc": answered(patient, tier="watch", bcc=0.2, mel=0.1, nv=0.6),
        "akiec": answered(patient, tier="watch", akiec=0.2, bcc=0.2, mel=0.1, nv=0.4),
        "nv": answered(patient, tier="calm", nv=0.9),
    }
    answered(patient, tier="calm", nv=0.9, measures={"smartphone": 1.0})
    client = sign_in(dermatologist)
    for code in CODES:
        page = client.get(reverse("admin:diagnosis_prediction_changelist"), {"explained": code})
        listed = list(page.context["cl"].result_list)
        assert [row.image for row in listed] == ([images[code]] if code in images else []), code
        assert all(row.explained_code == code for row in listed)
