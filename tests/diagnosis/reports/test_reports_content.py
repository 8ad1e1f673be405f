"""The content of a report."""

import json

import pytest

from diagnosis.reports.content import build_content, canonical_json
from diagnosis.reports.report_view import present
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from mlmodel.taxonomy import CODES
from tests import factories
from tests.diagnosis.reporting import MELANOMA, NEVUS, confirm, photographed_visit, refused_photograph
from tests.hooks import wording


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Come back in two weeks.", notes="Very anxious.", itch=True)


def test_the_content_holds_what_was_found_and_said(visit, dermatologist):
    confirm(visit, dermatologist)
    content = build_content(visit)
    (lesion,) = content["lesions"]
    (photograph,) = lesion["photographs"]
    image = visit.images.get()
    prediction = image.predictions.get()
    assert content["patient"]["name"] == visit.patient.name
    assert content["patient"]["record_number"] == visit.patient.record_number
    assert content["clinic"]["name"] == "Northside Clinic"
    assert content["visit"]["plan"] == "Come back in two weeks."
    assert content["visit"]["symptoms"] == ["itches"]
    assert photograph["sha256"] == image.sha256
    assert set(photograph["assessment"]["probabilities"]) == set(CODES)
    assert sum(photograph["assessment"]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert photograph["assessment"]["tier"] == prediction.tier
    assert photograph["assessment"]["model_version"] == prediction.model_version.name
    assert photograph["confirmed"]["code"] == "mel"
    assert photograph["confirmed"]["by"] == dermatologist.name
    assert content["explanations"][0]["code"] == "mel"
    assert content["explanations"][0]["source"] == "library"


def test_the_notes_stay_in_the_clinic(visit):
    assert "Very anxious" not in canonical_json(build_content(visit))


def test_the_newest_deciding_review_is_the_label(visit, dermatologist):
    confirm(visit, dermatologist, code="nv")
    confirm(visit, dermatologist, code="mel", certainty=Certainty.PROBABLE)
    confirm(visit, dermatologist, code="df", certainty=Certainty.UNSURE)
    assert build_content(visit)["lesions"][0]["photographs"][0]["confirmed"]["code"] == "mel"


def test_a_refused_photograph_has_no_answer(visit):
    refused_photograph(visit)
    photographs = [photograph for lesion in build_content(visit)["lesions"] for photograph in lesion["photographs"]]
    refused = photographs[1]
    assert refused["quality"]["verdict"] != "accepted"
    assert refused["assessment"] is None
    assert refused["confirmed"] is None


def test_the_same_records_give_the_same_bytes(visit):
    first, second = (canonical_json(build_content(visit)) for _ in range(2))
    assert first == second
    assert first == json.dumps(json.loads(first), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_a_confirmed_condition_says_whose_word_counts(visit, dermatologist):
    confirm(visit, dermatologist, code="mel")
    content = build_content(visit)
    assert [(each["code"], each["is_confirmed"]) for each in content["explanations"]] == [("mel", True)]


def test_two_photographs_of_two_kinds(patient, dermatologist):
    """The explanations cover each class that is named, the dangerous one first; of one lesion that one alone."""
    visit = photographed_visit(patient, MELANOMA, NEVUS)
    first, second = visit.images.order_by("created_at")
    for image, code in ((first, "nv"), (second, "mel")):
        record_review(image=image, reviewer=dermatologist, answer=code, certainty=Certainty.CERTAIN, reason="")
    assert [explanation["code"] for explanation in build_content(visit)["explanations"]] == ["mel"]
    type(first).objects.filter(pk=first.pk).update(lesion=factories.LesionFactory(patient=patient))
    assert [explanation["code"] for explanation in build_content(visit)["explanations"]] == ["mel", "nv"]


def test_a_lesion_is_one_line_at_a_glance(patient, dermatologist):
    """Two photographs of one lesion: what it is called, and the most urgent that the software said of it."""
    visit = photographed_visit(patient, NEVUS, MELANOMA)
    first, second = visit.images.order_by("created_at")
    assert [image.predictions.get().tier for image in (first, second)] == ["calm", "urgent"]
    record_review(image=second, reviewer=dermatologist, answer="mel", certainty=Certainty.CERTAIN)
    (lesion,) = present(build_content(visit))["lesions"]
    assert lesion["glance"]["labels"] == [{"name": "Melanoma", "words": "certain"}]
    assert lesion["glance"]["tier_words"] == wording("The software also assessed the photograph as dangerous.")
