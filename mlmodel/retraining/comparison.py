"""Comparison of two networks on one test set, by paired bootstrap over lesions."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.performance import CALIBRATION_BINS, Answers, sensitivity_at, specificity_at
from mlmodel.retraining.base_set import Cases
from mlmodel.retraining.candidate_network import Network
from mlmodel.retraining.verdicts import Change, Comparison, GateRules
from mlmodel.taxonomy import CODES

Weights = npt.NDArray[np.float32]
Figure = Callable[[Weights], npt.NDArray[np.float64]]

_MELANOMA = CODES.index("mel")
_DRAWS_PER_CHUNK = 250


def compare(
    *,
    active: Network,
    candidate: Network,
    cases: Cases,
    rules: GateRules,
    least_of_a_class: int,
    seed: int,
) -> Comparison:
    """Return the comparison of two networks on the same lesions.

    Lesions are resampled within their class, and both networks are evaluated on the same resample (Efron & Tibshirani,
    An Introduction to the Bootstrap, 1993), so that lesions that are difficult for both do not add to the uncertainty
    of the change. Photographs are averaged by lesion. Every metric is a ratio of sums over lesions, so that all
    resamples are one matrix product with the counts of each lesion.

    Args:
        active: the active network.
        candidate: the network that may replace it.
        cases: the test set, at least one case.
        rules: number of resamples and confidence.
        least_of_a_class: classes with fewer lesions are not included in balanced accuracy.
        seed: the random seed.
    """
    old, new = active.answers_by_lesion(cases), candidate.answers_by_lesion(cases)
    labels = old.labels
    counts = np.bincount(labels, minlength=len(CODES))
    counted = np.flatnonzero(counts >= max(least_of_a_class, 1))
    figures: dict[str, tuple[Figure, Figure]] = {"calibration": (_calibration(old), _calibration(new))}
    for index in np.flatnonzero(counts):
        figures[f"recall {CODES[index]}"] = (_recall(old, int(index)), _recall(new, int(index)))
    if len(counted):
        figures["balanced"] = (_balanced(old, counted), _balanced(new, counted))
    if counts[_MELANOMA]:
        figures["melanoma"] = (
            _melanoma(old, active.operating_points.watch.threshold),
            _melanoma(new, candidate.operating_points.watch.threshold),
        )
    changes = _changes(figures, labels, rules, seed)
    return Comparison(
        lesions={code: int(counts[index]) for index, code in enumerate(CODES)},
        photographs=len(cases),
        balanced_accuracy=changes.get("balanced"),
        melanoma_sensitivity=changes.get("melanoma"),
        recall={code: changes[f"recall {code}"] for code in CODES if f"recall {code}" in changes},
        calibration_error=changes["calibration"],
    )


def _changes(
    figures: dict[str, tuple[Figure, Figure]], labels: npt.NDArray[np.int64], rules: GateRules, seed: int
) -> dict[str, Change]:
    differences: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in figures}
    for weights in _draws(labels, count=rules.resamples, seed=seed):
        for name, (old, new) in figures.items():
            differences[name].append(new(weights) - old(weights))
    tail = 50.0 * (1.0 - rules.confidence)
    unit_weights = np.ones((1, len(labels)), dtype=np.float32)
    changes = {}
    for name, (old, new) in figures.items():
        low, high = np.percentile(np.concatenate(differences[name]), (tail, 100.0 - tail)).tolist()
        before, after = float(old(unit_weights)[0]), float(new(unit_weights)[0])
        changes[name] = Change(
            active=round(before, 6), candidate=round(after, 6), change=round(after - before, 6),
            low=round(low, 6), high=round(high, 6),
        )  # fmt: skip
    return changes


def _draws(labels: npt.NDArray[np.int64], *, count: int, seed: int) -> Iterator[Weights]:
    """Yield the counts of each lesion in the resamples, float32 (draws, lesions), stratified by class."""
    generator = np.random.default_rng(seed)
    strata = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for start in range(0, count, _DRAWS_PER_CHUNK):
        size = min(_DRAWS_PER_CHUNK, count - start)
        weights = np.zeros((size, len(labels)), dtype=np.float32)
        for rows in strata:
            weights[:, rows] = generator.multinomial(len(rows), np.full(len(rows), 1.0 / len(rows)), size=size)
        yield weights


def _recall(answers: Answers, index: int) -> Figure:
    rows = np.flatnonzero(answers.labels == index)
    is_right = (answers.scores[rows].argmax(axis=1) == index).astype(np.float32)
    return lambda weights: (weights[:, rows] @ is_right / len(rows)).astype(np.float64)


def _balanced(answers: Answers, counted: npt.NDArray[np.int64]) -> Figure:
    recalls = [_recall(answers, int(index)) for index in counted]
    return lambda weights: np.mean([recall(weights) for recall in recalls], axis=0)


def _melanoma(answers: Answers, threshold: float) -> Figure:
    rows = np.flatnonzero(answers.is_melanoma)
    is_flagged = (answers.malignant_probability[rows] >= threshold).astype(np.float32)
    return lambda weights: (weights[:, rows] @ is_flagged / len(rows)).astype(np.float64)


def _calibration(answers: Answers) -> Figure:
    """Return ``performance.expected_calibration_error`` as a figure of all resamples at once."""
    confidence = answers.probabilities.max(axis=1)
    is_right = answers.probabilities.argmax(axis=1) == answers.labels
    gaps = np.zeros((len(confidence), CALIBRATION_BINS), dtype=np.float32)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps[np.arange(len(confidence)), bins] = confidence - is_right
    return lambda weights: (np.abs(weights @ gaps).sum(axis=1) / len(confidence)).astype(np.float64)


def costs_of(network: Network, cases: Cases) -> dict[str, dict[str, float]]:
    """Return sensitivity and specificity of a network's two tiers, without those that have no lesions."""
    answers, costs = network.answers(cases), {}
    for tier, point in (("urgent", network.operating_points.urgent), ("watch", network.operating_points.watch)):
        measures = {
            "sensitivity": (sensitivity_at(point.threshold), answers.is_malignant),
            "melanoma_sensitivity": (sensitivity_at(point.threshold, melanoma_only=True), answers.is_melanoma),
            "specificity": (specificity_at(point.threshold), ~answers.is_malignant),
        }
        costs[tier] = {name: round(metric(answers), 6) for name, (metric, rows) in measures.items() if rows.any()}
    return costs
