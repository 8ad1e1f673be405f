"""Performance metrics by lesion, with bootstrap intervals over lesions."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.partial_labels import MALIGNANT_LABELS, is_exact
from mlmodel.network.calibration import Labels
from mlmodel.network.head import Floats
from mlmodel.taxonomy import CODES, MALIGNANT_CODES

_MALIGNANT = [CODES.index(code) for code in MALIGNANT_CODES]
_MELANOMA = CODES.index("mel")
_RESAMPLES = 1000
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95 % bootstrap percentile interval over lesions (Efron & Tibshirani, 1993)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True)
class Answers:
    """A head's answers for N photographs, with their labels.

    Attributes:
        probabilities: float32 (N, 7), calibrated.
        scores: float32 (N, 7), equal-prior.
        labels: int64 (N,), indices into ``partial_labels.LABELS``; class metrics use ``exact()`` answers only.
        lesions: str (N,).
    """

    probabilities: Floats
    scores: Floats
    labels: Labels
    lesions: npt.NDArray[np.str_]

    def take(self, rows: npt.NDArray[Any]) -> "Answers":
        return Answers(self.probabilities[rows], self.scores[rows], self.labels[rows], self.lesions[rows])

    def exact(self) -> "Answers":
        """Return the answers whose label is one of the seven classes."""
        return self.take(is_exact(self.labels))

    @property
    def malignant_probability(self) -> Floats:
        return self.probabilities[:, _MALIGNANT].sum(axis=1)

    @property
    def malignant_score(self) -> Floats:
        """The malignant share of the equal-prior scores, which does not depend on the training class mix."""
        return self.scores[:, _MALIGNANT].sum(axis=1)

    @property
    def is_malignant(self) -> npt.NDArray[np.bool_]:
        return np.isin(self.labels, MALIGNANT_LABELS)

    @property
    def is_benign(self) -> npt.NDArray[np.bool_]:
        return ~self.is_malignant

    @property
    def is_melanoma(self) -> npt.NDArray[np.bool_]:
        return self.labels == _MELANOMA


def by_lesion(answers: Answers) -> Answers:
    """Return one row per lesion: the mean over its photographs, so that every lesion counts once."""
    _, first, group = np.unique(answers.lesions, return_index=True, return_inverse=True)
    counts = np.bincount(group)[:, None]

    def mean(values: Floats) -> Floats:
        total = np.zeros((len(first), values.shape[1]), dtype=np.float32)
        np.add.at(total, group, values)
        return (total / counts).astype(np.float32)

    return Answers(mean(answers.probabilities), mean(answers.scores), answers.labels[first], answers.lesions[first])


Metric = Callable[[Answers], float]


def balanced_accuracy(answers: Answers) -> float:
    """Return the mean recall over the classes present, for the class with the highest equal-prior score."""
    chosen = answers.scores.argmax(axis=1)
    recalls = [(chosen[answers.labels == label] == label).mean() for label in np.unique(answers.labels)]
    return float(np.mean(recalls))


def accuracy(answers: Answers) -> float:
    """Return the share of photographs whose most probable class (calibrated) is correct."""
    return float((answers.probabilities.argmax(axis=1) == answers.labels).mean())


def macro_auc(answers: Answers) -> float:
    """Return the mean over classes of the one-against-rest area under the ROC curve of the probabilities."""
    return float(np.mean([auc(answers.probabilities[:, k], answers.labels == k) for k in np.unique(answers.labels)]))


def malignant_auc(answers: Answers) -> float:
    """Return the area under the ROC curve of the malignant probability."""
    return auc(answers.malignant_probability, answers.is_malignant)


def expected_calibration_error(answers: Answers) -> float:
    """Return the mean gap between confidence and accuracy over 15 equal-width bins (Naeini et al., AAAI 2015)."""
    confidence = answers.probabilities.max(axis=1)
    is_right = answers.probabilities.argmax(axis=1) == answers.labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - is_right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)
    ]
    return float(sum(gaps))


def sensitivity_at(threshold: float, *, melanoma_only: bool = False) -> Metric:
    """Return the metric for the share of malignant lesions, or of melanomas, flagged at ``threshold``."""

    def metric(answers: Answers) -> float:
        is_positive = answers.is_melanoma if melanoma_only else answers.is_malignant
        return float((answers.malignant_probability[is_positive] >= threshold).mean())

    return metric


def specificity_at(threshold: float) -> Metric:
    """Return the metric for the share of benign lesions not flagged at ``threshold``."""

    def metric(answers: Answers) -> float:
        return float((answers.malignant_probability[~answers.is_malignant] < threshold).mean())

    return metric


def auc(scores: Floats, is_positive: npt.NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve, as the Mann–Whitney statistic with ties counted half."""
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def estimate(metrics: Mapping[str, Metric], answers: Answers, *, seed: int = 0) -> dict[str, Estimate]:
    """Return each metric with its interval from 1,000 bootstrap resamples of lesions, stratified by class."""
    resampled: dict[str, list[float]] = {name: [] for name in metrics}
    for resample in resamples(answers, seed=seed):
        for name, metric in metrics.items():
            resampled[name].append(metric(resample))
    return {
        name: Estimate(metric(answers), *np.percentile(resampled[name], (2.5, 97.5)).tolist())
        for name, metric in metrics.items()
    }


def resamples(answers: Answers, *, seed: int = 0, count: int = _RESAMPLES) -> Iterator[Answers]:
    """Yield bootstrap resamples of lesions with all their photographs, stratified by class.

    Stratification keeps the rarest classes in every resample, so that all metrics are defined.
    """
    generator = np.random.default_rng(seed)
    _, first, group = np.unique(answers.lesions, return_index=True, return_inverse=True)
    strata = [np.flatnonzero(answers.labels[first] == label) for label in np.unique(answers.labels)]
    rows, counts = np.argsort(group, kind="stable"), np.bincount(group)
    starts = np.cumsum(counts) - counts
    for _ in range(count):
        chosen = np.concatenate([generator.choice(stratum, len(stratum)) for stratum in strata])
        ends = np.cumsum(counts[chosen])
        within = np.arange(ends[-1]) - np.repeat(ends - counts[chosen], counts[chosen])
        yield answers.take(rows[np.repeat(starts[chosen], counts[chosen]) + within])
