import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlmodel.calibration import Calibration, fit_set_threshold, fit_temperature, softmax

MIX = np.array([0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02], dtype=np.float32)


@given(arrays(np.float32, (3, 7), elements=st.floats(-500, 500, width=32)))
def test_probabilities_are_probabilities_whatever_the_logits(logits):
    calibration = Calibration(temperature=1.7, class_mix=MIX, set_threshold=0.1)

    for found in (calibration.probabilities(logits), calibration.equal_prior_scores(logits)):
        assert np.all(found >= 0)
        assert np.allclose(found.sum(axis=1), 1, atol=1e-5)


def test_equal_prior_scores_divide_the_class_mix_out():
    """Logits that know nothing but the class mix must score all classes alike."""
    calibration = Calibration(temperature=1.0, class_mix=MIX, set_threshold=0.1)

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
    labels = np.array([generator.choice(7, p=row / row.sum()) for row in truth])

    found = fit_temperature(logits, labels, np.ones(len(labels), dtype=np.float32))

    assert found == pytest.approx(1.6, rel=tolerance)


def test_prediction_sets_hold_the_truth_as_often_as_they_promise():
    generator = np.random.default_rng(1)
    probabilities = softmax(generator.normal(0, 2, (20_000, 7)).astype(np.float32))
    labels = np.array([generator.choice(7, p=row / row.sum()) for row in probabilities.astype(np.float64)])
    threshold = fit_set_threshold(probabilities[:10_000], labels[:10_000], np.ones(10_000, dtype=np.float32))
    calibration = Calibration(temperature=1.0, class_mix=MIX, set_threshold=threshold)

    held = [labels[n] in calibration.prediction_set(probabilities[n]) for n in range(10_000, 20_000)]

    # Split conformal promises at least 90 %; 10,000 draws add a sampling error of 0.3 points.
    assert 0.89 <= np.mean(held) <= 0.93


def test_a_prediction_set_is_never_empty_and_starts_with_the_most_probable():
    calibration = Calibration(temperature=1.0, class_mix=MIX, set_threshold=0.9)

    assert calibration.prediction_set(np.full(7, 1 / 7, dtype=np.float32)) == [0]
    assert Calibration(1.0, MIX, 0.1).prediction_set(np.array([0, 0.2, 0.7, 0.1, 0, 0, 0], np.float32)) == [2, 1, 3]
