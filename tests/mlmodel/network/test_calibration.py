from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlmodel.network.calibration import Calibration, fit_set_thresholds, fit_temperature, softmax

MIX = np.array([0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02], dtype=np.float32)
LEAST = np.full(7, 0.1, dtype=np.float32)


@given(arrays(np.float32, (3, 7), elements=st.floats(-500, 500, width=32)))
def test_probabilities_are_probabilities_whatever_the_logits(logits):
    calibration = Calibration(temperature=1.7, class_mix=MIX, set_thresholds=LEAST)

    for found in (calibration.probabilities(logits), calibration.equal_prior_scores(logits)):
        assert np.all(found >= 0)
        assert np.allclose(found.sum(axis=1), 1, atol=1e-5)


def test_equal_prior_scores_divide_the_class_mix_out():
    """Logits that know nothing but the class mix must score all classes alike."""
    calibration = Calibration(temperature=1.0, class_mix=MIX, set_thresholds=LEAST)

    assert np.allclose(calibration.probabilities(np.log(MIX)[None])[0], MIX, atol=1e-6)
    assert np.allclose(calibration.equal_prior_scores(np.log(MIX)[None])[0], 1 / 7, atol=1e-6)


@pytest.mark.parametrize(
    ("draws", "tolerance"),
    # 20,000 draws place the optimum within about two per cent, 2,000 within about six.
    [(2_000, 0.12), pytest.param(20_000, 0.05, marks=pytest.mark.slow)],
)
def test_the_temperature_that_made_the_labels_is_found_again(draws, tolerance):
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (draws, 7)).astype(np.float32)
    truth = softmax(logits / 1.6).astype(np.float64)
    labels = (truth.cumsum(axis=1) < generator.random((draws, 1))).sum(axis=1).clip(max=6)

    found = fit_temperature(logits, labels, np.ones(len(labels), dtype=np.float32))

    assert found == pytest.approx(1.6, rel=tolerance)


def test_prediction_sets_hold_the_truth_of_every_class_as_often_as_they_promise():
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (40_000, 7)).astype(np.float32) + np.log(MIX)
    probabilities = softmax(logits)
    labels = np.array([generator.choice(7, p=row / row.sum()) for row in probabilities.astype(np.float64)])
    unfitted = Calibration(temperature=1.0, class_mix=MIX, set_thresholds=LEAST)
    seen, unseen = slice(0, 20_000), range(20_000, 40_000)
    calibration = replace(
        unfitted,
        set_thresholds=fit_set_thresholds(unfitted.equal_prior_scores(logits[seen]), labels[seen]),
    )

    held = np.array([labels[n] in calibration.prediction_set(probabilities[n]) for n in unseen])

    # Split conformal promises 90 %; the rarest class has some 350 draws on either side: a sampling error of 2 points.
    for index in range(7):
        assert 0.84 <= held[labels[unseen] == index].mean() <= 0.96, index


def test_of_a_class_with_few_lesions_all_are_held_and_an_absent_one_is_held_as_often_as_any():
    scores = np.full((28, 7), 0.1, dtype=np.float32)
    labels = np.array([0] * 20 + [1] * 8)
    scores[:20, 0] = np.linspace(0.05, 1.0, 20)
    scores[20:, 1] = np.linspace(0.08, 0.8, 8)

    found = fit_set_thresholds(scores, labels)

    # Of 20 and one to come, 19 must be held: all but the lowest one.
    assert found[0] == pytest.approx(0.1)
    assert found[1] == pytest.approx(0.08)
    assert found[2] == found[6] == pytest.approx(0.08)


def test_a_prediction_set_is_never_empty_and_in_the_order_of_probability():
    unreachable = Calibration(temperature=1.0, class_mix=MIX, set_thresholds=np.full(7, 0.9, dtype=np.float32))
    assert unreachable.prediction_set(MIX * np.array([1, 1, 2, 1, 1, 1, 1], np.float32)) == [2]

    even_mix = Calibration(1.0, np.full(7, 1 / 7, dtype=np.float32), np.full(7, 0.1, dtype=np.float32))
    assert even_mix.prediction_set(np.array([0, 0.2, 0.7, 0.1, 0, 0, 0], np.float32)) == [2, 1, 3]


def test_a_common_class_may_lead_and_yet_not_belong_to_the_set():
    calibration = Calibration(temperature=1.0, class_mix=MIX, set_thresholds=np.full(7, 0.3, dtype=np.float32))
    probabilities = np.array([0, 0, 0, 0, 0.45, 0.55, 0], np.float32)

    # Nevi are six times as common as melanomas: 0.55 of one says less than 0.45 of the other.
    assert calibration.prediction_set(probabilities) == [4]
