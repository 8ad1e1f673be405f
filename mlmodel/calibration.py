"""From logits to what may be said: calibrated probabilities, equal-prior scores, prediction sets.

Two readings of the same logits are kept apart by name. *Calibrated probabilities* are true to the class mix of the
training set (HAM10000's); they are what people are shown. *Equal-prior scores* have that mix divided out: they are
what balanced accuracy and decisions about rare classes are about.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlmodel.head import Floats

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """How a head's logits are read.

    Attributes:
        temperature: > 0; logits are divided by it (Guo et al., ICML 2017).
        class_mix: float32 (7,), the share of each class in the training set, sums to 1.
        set_threshold: in [0, 1]; classes at least this probable belong to the prediction set (split conformal
            prediction with the LAC score: Sadinle, Lei, Wasserman, JASA 114:223, 2019).
    """

    temperature: float
    class_mix: Floats
    set_threshold: float

    def probabilities(self, logits: Floats) -> Floats:
        """Return calibrated probabilities, float32 (B, 7), rows sum to 1."""
        return softmax(logits / self.temperature)

    def equal_prior_scores(self, logits: Floats) -> Floats:
        """Return the scores with the training class mix divided out, float32 (B, 7), rows sum to 1."""
        return softmax(logits / self.temperature - np.log(self.class_mix))

    def prediction_set(self, probabilities: Floats) -> list[int]:
        """Return the class indices of one photograph's 90 % set, most probable first; never empty.

        Args:
            probabilities: float32 (7,), calibrated.
        """
        order = np.argsort(-probabilities)
        return [int(index) for index in order if probabilities[index] >= self.set_threshold] or [int(order[0])]


def softmax(logits: Floats) -> Floats:
    """Return the softmax over the last axis, computed so that large logits cannot overflow."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fit_temperature(logits: Floats, labels: Labels, weights: Floats) -> float:
    """Return the temperature with the least weighted negative log-likelihood, to three digits.

    Args:
        logits: float32 (N, 7).
        labels: int64 (N,), class indices.
        weights: float32 (N,), for example 1 / photographs of the lesion, so that each lesion counts once.
    """

    def loss(temperature: float) -> float:
        chosen = softmax(logits / temperature)[np.arange(len(labels)), labels]
        return float(-(weights * np.log(np.maximum(chosen, 1e-12))).sum() / weights.sum())

    # The loss is convex in 1 / temperature and cheap: a fine grid is exact enough and has no failure mode.
    return float(min(np.geomspace(0.3, 5.0, 1000), key=loss))


def fit_set_threshold(probabilities: Floats, labels: Labels, weights: Floats, *, coverage: float = 0.9) -> float:
    """Return the least probability that a class needs to be in the prediction set, for the given coverage.

    Args:
        probabilities: float32 (N, 7), calibrated, of photographs that neither trained nor chose the head.
        labels: int64 (N,).
        weights: float32 (N,), for example 1 / photographs of the lesion, so that each lesion counts once.
        coverage: the share of weight whose true class is to be in the set.
    """
    scores = 1.0 - probabilities[np.arange(len(labels)), labels]
    order = np.argsort(scores)
    # The photograph to come counts as one more, with the worst score (Tibshirani et al., NeurIPS 2019, lemma 1).
    reached = np.cumsum(weights[order]) / (weights.sum() + weights.mean())
    place = min(int(np.searchsorted(reached, coverage)), len(scores) - 1)
    return float(1.0 - scores[order][place])
