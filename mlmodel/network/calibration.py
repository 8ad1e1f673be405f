"""From logits to what may be said: calibrated probabilities, equal-prior scores, prediction sets.

Two readings of the same logits are kept apart by name. *Calibrated probabilities* are true to the class mix of the
training set (HAM10000's); they are what people are shown. *Equal-prior scores* have that mix divided out: they are
what balanced accuracy and decisions about rare classes are about.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats
from mlmodel.taxonomy import CODES

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Calibration:
    """How a head's logits are read.

    Attributes:
        temperature: > 0; logits are divided by it (Guo et al., ICML 2017).
        class_mix: float32 (7,), the share of each class in the training set, sums to 1.
        set_thresholds: float32 (7,), each in [0, 1]; classes whose equal-prior score reaches their own threshold
            belong to the prediction set (class-conditional split conformal prediction: Sadinle, Lei, Wasserman, JASA
            114:223, 2019). One threshold for all would keep its promise on the whole and break it for rare classes.
        own_mix: float32 (7,), the class mix of a clinic, to which its probabilities are to be true; None for the
            training set's.
    """

    temperature: float
    class_mix: Floats
    set_thresholds: Floats
    own_mix: Floats | None = None

    def probabilities(self, logits: Floats) -> Floats:
        """Return calibrated probabilities, float32 (B, 7), rows sum to 1."""
        if self.own_mix is None:
            return self.probabilities_as_released(logits)
        # Bayes' rule with another prior (Saerens, Latinne, Decaestecker, Neural Computation 14:21, 2002).
        return at_mix(self.equal_prior_scores(logits), self.own_mix)

    def probabilities_as_released(self, logits: Floats) -> Floats:
        """Return those that are true to the training set's mix: the tiers' thresholds are for them."""
        return softmax(logits / self.temperature)

    def equal_prior_scores(self, logits: Floats) -> Floats:
        """Return the scores with the training class mix divided out, float32 (B, 7), rows sum to 1."""
        return softmax(logits / self.temperature - np.log(self.class_mix))

    def without_class_mix(self, probabilities: Floats) -> Floats:
        """Return the equal-prior scores that belong to calibrated probabilities, both float32 (…, 7)."""
        scores = probabilities / (self.class_mix if self.own_mix is None else self.own_mix)
        return scores / scores.sum(axis=-1, keepdims=True)

    def prediction_set(self, probabilities: Floats) -> list[int]:
        """Return the class indices of one photograph's 90 % set, most probable first; never empty.

        The most probable class may be missing: it can lead because it is common, though few of it look like this.

        Args:
            probabilities: float32 (7,), calibrated.
        """
        belongs = in_set(self.without_class_mix(probabilities), self.set_thresholds)
        return [int(index) for index in np.argsort(-probabilities) if belongs[index]]


def at_mix(scores: Floats, class_mix: Floats) -> Floats:
    """Return probabilities that are true to a class mix, float32 (…, 7), of equal-prior scores, float32 (…, 7)."""
    weighted = scores * class_mix
    return weighted / weighted.sum(axis=-1, keepdims=True)


def as_settings(values: Floats) -> dict[str, float]:
    """Return float32 (7,) as a release's settings hold it."""
    return {code: round(value, 8) for code, value in by_code(values).items()}


def by_code(values: Floats) -> dict[str, float]:
    """Return float32 (7,) by the classes' codes."""
    return {code: float(value) for code, value in zip(CODES, values, strict=True)}


def in_order(values: Mapping[str, float]) -> Floats:
    """Return what is given by the classes' codes as float32 (7,)."""
    return np.array([values[code] for code in CODES], dtype=np.float32)


def in_set(scores: Floats, set_thresholds: Floats) -> npt.NDArray[np.bool_]:
    """Return which classes belong to the prediction set, bool (…, 7); never none.

    Args:
        scores: float32 (…, 7), equal-prior.
        set_thresholds: float32 (7,).
    """
    belongs: npt.NDArray[np.bool_] = scores >= set_thresholds
    return belongs | (~belongs.any(axis=-1, keepdims=True) & (scores >= scores.max(axis=-1, keepdims=True)))


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


def fit_set_thresholds(scores: Floats, labels: Labels, *, coverage: float = 0.9) -> Floats:
    """Return each class's least score to be in the prediction set, so that sets hold ``coverage`` of each class.

    Of a class with too few lesions to promise that (fewer than 9 for 0.9), all that were seen are held, which promises
    n of n + 1. A class of none gets the least threshold of the others.

    Args:
        scores: float32 (N, 7), equal-prior, of lesions that neither trained nor chose the head.
        labels: int64 (N,).
        coverage: the share of each class whose sets are to hold it.

    Returns:
        float32 (7,).
    """
    thresholds = np.full(scores.shape[1], np.inf, dtype=np.float32)
    for index in np.unique(labels):
        own = np.sort(scores[labels == index, index])[::-1]
        # The lesion to come counts as one more (Vovk et al., Algorithmic Learning in a Random World, 2005).
        count = int(np.ceil(coverage * (len(own) + 1) - 1e-9))
        thresholds[index] = own[min(count, len(own)) - 1]
    return np.where(np.isinf(thresholds), thresholds.min(), thresholds).astype(np.float32)
