"""A photograph taken without a dermatoscope is answered, marked, and judged with less confidence."""

import re

import numpy as np
import pytest

from diagnosis.assessment.photograph_kind import smartphone_caution, taken_with
from mlmodel.network.analyser import get_analyser
from mlmodel.network.in_domain import PhotographClassifier
from mlmodel.pictures.picture import decode
from mlmodel.versions.serving import analyser_of
from tests import factories
from tests.candidates import candidate
from tests.diagnosis.photographing import kept
from tests.hooks import codes, wording


@pytest.fixture
def image(patient, staff, photograph):
    visit = factories.VisitFactory.create(patient=patient, clinician=staff)
    return kept(visit, factories.LesionFactory.create(patient=patient), staff, photograph)


def page_of(client, image) -> str:
    return re.sub(r"\s+", " ", client.get(image.get_absolute_url()).content.decode())


def test_a_dermatoscopes_photograph_says_so_and_needs_no_caution(image, staff, sign_in):
    page = page_of(sign_in(staff), image)
    assert image.measures["smartphone"] == 0.0
    assert wording("<dt>Looks taken with</dt> <dd>A dermatoscope</dd>") in page
    assert "no_dermatoscope" not in codes(page)


def test_a_smartphones_photograph_is_told_what_that_costs(image, staff, sign_in):
    image.measures |= {"smartphone": 1.0}
    image.save(update_fields=["measures"])
    known = get_analyser().release.settings["smartphone"]
    page = page_of(sign_in(staff), image)
    assert "no_dermatoscope" in codes(page)
    assert wording(f"Of {known['photographs']} of them it classified {round(100 * known['accuracy'])} in 100") in page
    assert page.count('class="bar-row"') == 0


def test_nothing_is_said_of_photographs_that_an_earlier_network_looked_at(image, staff, sign_in):
    image.measures = {key: value for key, value in image.measures.items() if key != "smartphone"}
    image.save(update_fields=["measures"])
    page = page_of(sign_in(staff), image)
    assert wording("Looks taken with") not in page
    assert taken_with(image.measures) == smartphone_caution(image.measures, get_analyser()) == ""


@pytest.mark.django_db
def test_figures_of_the_shipped_network_are_not_told_of_a_retrained_one():
    told = smartphone_caution({"smartphone": 1.0}, analyser_of(candidate()))
    assert "taken without a dermatoscope" in told
    assert "in 100" not in told


def test_less_confidence_is_claimed_of_the_same_features(photograph):
    analyser = get_analyser()
    analysis = analyser.analyse(decode(photograph))
    assert analysis.assessment is not None
    output = analyser.engine.run(analyser.engine.prepare(decode(photograph).pixels)[None], maps=True)
    maps = {stage: values[0] for stage, values in output.maps.items()}
    usual = analyser.assess(analysis.features, maps)
    cautious = analyser.assess(analysis.features, maps, is_smartphone=True)
    assert analyser.smartphone_calibration.temperature > analyser.calibration.temperature
    assert cautious.code == usual.code
    assert cautious.confidence < usual.confidence
    assert set(cautious.prediction_set) >= set(usual.prediction_set)


def test_the_network_marks_what_its_judge_takes_for_a_smartphones(photograph, monkeypatch):
    analyser = get_analyser()
    sure = PhotographClassifier(np.zeros_like(analyser.smartphone.weights), bias=10.0, threshold=0.5)
    monkeypatch.setattr(analyser, "smartphone", sure)
    marked = analyser.analyse(decode(photograph))
    assert marked.quality.measures["smartphone"] == 1.0
    assert marked.assessment is not None
    monkeypatch.undo()
    plain = analyser.analyse(decode(photograph)).assessment
    assert plain is not None
    assert marked.assessment.confidence < plain.confidence
