import numpy as np
import pytest

from mlmodel.metrics import performance


@pytest.fixture
def answers() -> performance.Answers:
    """600 lesions of seven classes, a third photographed twice, answered right about seven times in ten."""
    generator = np.random.default_rng(5)
    labels = np.repeat(generator.integers(0, 7, 600), np.tile([1, 1, 2], 200))
    lesions = np.repeat(np.arange(600), np.tile([1, 1, 2], 200)).astype(str)
    scores = generator.dirichlet(np.ones(7), len(labels))
    scores[np.arange(len(labels)), labels] += generator.uniform(0, 0.9, len(labels))
    scores = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return performance.Answers(scores, scores, labels, lesions)


def test_metrics_agree_with_scikit_learn(answers):
    sklearn_metrics = pytest.importorskip("sklearn.metrics")

    assert performance.balanced_accuracy(answers) == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(answers.labels, answers.scores.argmax(axis=1))
    )
    assert performance.accuracy(answers) == pytest.approx(
        sklearn_metrics.accuracy_score(answers.labels, answers.scores.argmax(axis=1))
    )
    one_hot = np.eye(7)[answers.labels]
    assert performance.macro_auc(answers) == pytest.approx(
        np.mean([sklearn_metrics.roc_auc_score(one_hot[:, k], answers.probabilities[:, k]) for k in range(7)])
    )


def test_ties_count_half_in_the_auc():
    assert performance.auc(np.array([0.5, 0.5, 0.5, 0.5]), np.array([True, False, True, False])) == 0.5


def test_by_lesion_leaves_one_mean_row_a_lesion(answers):
    found = performance.by_lesion(answers)

    assert len(found.labels) == 600
    rows = answers.lesions == found.lesions[7]
    assert np.allclose(found.probabilities[7], answers.probabilities[rows].mean(axis=0))
    assert found.labels[7] == answers.labels[rows][0]


def test_intervals_hold_the_value_and_are_wider_for_fewer_lesions(answers):
    metrics = {"accuracy": performance.accuracy}
    whole = performance.estimate(metrics, answers)["accuracy"]
    part = performance.estimate(metrics, answers.take(np.arange(len(answers.labels)) < 100))["accuracy"]

    assert whole.low < whole.value < whole.high
    assert part.high - part.low > 1.5 * (whole.high - whole.low)


def test_sensitivity_and_specificity_are_those_of_the_malignant_mass():
    probabilities = np.zeros((4, 7), dtype=np.float32)
    probabilities[:, 4] = [0.9, 0.2, 0.6, 0.1]  # melanoma
    probabilities[:, 5] = 1 - probabilities[:, 4]
    answers = performance.Answers(probabilities, probabilities, np.array([4, 4, 5, 5]), np.array(list("abcd")))

    assert performance.sensitivity_at(0.5)(answers) == 0.5
    assert performance.specificity_at(0.5)(answers) == 0.5
    assert performance.sensitivity_at(0.15)(answers) == 1.0
