"""Calibrated probabilities, equal-prior scores and prediction sets from logits.

*Calibrated probabilities* are calibrated to the class mix of the training set (HAM10000's) and are shown to users.
*Equal-prior scores* have that mix divided out; they are used for balanced accuracy and decisions about rare classes.
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
    """Calibration of a head's logits.

    Attributes:
        temperature: > 0; logits are divided by it (Guo et al., ICML 2017).
        class_mix: float32 (7,), the share of each class in the training set, sums to 1.
        set_thresholds: float32 (7,), each in [0, 1]; classes whose equal-prior score reaches their own threshold
            belong to the prediction set (class-conditional split conformal prediction: Sadinle, Lei, Wasserman, JASA
            114:223, 2019). A single threshold would have the right coverage overall but not for rare classes.
        own_mix: float32 (7,), the class mix of a clinic, to which its probabilities are calibrated; None for the
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
        """Return the probabilities for the training set's mix, to which the tiers' thresholds apply."""
        return softmax(logits / self.temperature)

    def equal_prior_scores(self, logits: Floats) -> Floats:
        """Return the scores with the training class mix divided out, float32 (B, 7), rows sum to 1."""
        return softmax(logits / self.temperature - np.log(self.class_mix))

    def without_class_mix(self, probabilities: Floats) -> Floats:
        """Return the equal-prior scores for calibrated probabilities, both float32 (…, 7)."""
        scores = probabilities / (self.class_mix if self.own_mix is None else self.own_mix)
        return scores / scores.sum(axis=-1, keepdims=True)

    def prediction_set(self, probabilities: Floats) -> list[int]:
        """Return the class indices of one photograph's 90 % set, most probable first; never empty.

        The most probable class may be missing, if it leads only because it is common.

        Args:
            probabilities: float32 (7,), calibrated.
        """
        belongs = in_set(self.without_class_mix(probabilities), self.set_thresholds)
        return [int(index) for index in np.argsort(-probabilities) if belongs[index]]


def at_mix(scores: Floats, class_mix: Floats) -> Floats:
    """Return the probabilities at a class mix for equal-prior scores, both float32 (…, 7)."""
    weighted = scores * class_mix
    return weighted / weighted.sum(axis=-1, keepdims=True)


def as_settings(values: Floats) -> dict[str, float]:
    """Return float32 (7,) in the format of a release's settings."""
    return {code: round(value, 8) for code, value in by_code(values).items()}


def by_code(values: Floats) -> dict[str, float]:
    """Return float32 (7,) as a dictionary by code."""
    return {code: float(value) for code, value in zip(CODES, values, strict=True)}


def in_order(values: Mapping[str, float]) -> Floats:
    """Return a dictionary by code as float32 (7,)."""
    return np.array([values[code] for code in CODES], dtype=np.float32)


def in_set(scores: Floats, set_thresholds: Floats) -> npt.NDArray[np.bool_]:
    """Return a mask of the classes in the prediction set, bool (…, 7); it is never empty.

    Args:
        scores: float32 (…, 7), equal-prior.
        set_thresholds: float32 (7,).
    """
    belongs: npt.NDArray[np.bool_] = scores >= set_thresholds
    return belongs | (~belongs.any(axis=-1, keepdims=True) & (scores >= scores.max(axis=-1, keepdims=True)))


def softmax(logits: Floats) -> Floats:
    """Return the softmax over the last axis, without overflow for large logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fit_temperature(logits: Floats, labels: Labels, weights: Floats) -> float:
    """Return the temperature that minimises the weighted negative log-likelihood, to three digits.

    Args:
        logits: float32 (N, 7).
        labels: int64 (N,), class indices.
        weights: float32 (N,), for example 1 / photographs of the lesion, so that each lesion counts once.
    """

    def loss(temperature: float) -> float:
        chosen = softmax(logits / temperature)[np.arange(len(labels)), labels]
        return float(-(weights * np.log(np.maximum(chosen, 1e-12))).sum() / weights.sum())

    # The loss is convex in 1 / temperature and cheap, so a fine grid is accurate enough and cannot fail.
    return float(min(np.geomspace(0.3, 5.0, 1000), key=loss))


def fit_set_thresholds(scores: Floats, labels: Labels, *, coverage: float = 0.9) -> Floats:
    """Return the lowest score with which each class is in the prediction set, for this ``coverage`` of each class.

    For a class with too few lesions for this coverage (fewer than 9 for 0.9), the sets cover all n of them, which
    gives a coverage of n / (n + 1). A class without lesions gets the lowest threshold of the others.

    Args:
        scores: float32 (N, 7), equal-prior, of lesions not used for training or validation of the head.
        labels: int64 (N,).
        coverage: the share of each class whose sets contain it.

    Returns:
        float32 (7,).
    """
    thresholds = np.full(scores.shape[1], np.inf, dtype=np.float32)
    for index in np.unique(labels):
        own = np.sort(scores[labels == index, index])[::-1]
        # The future lesion counts as one more (Vovk et al., Algorithmic Learning in a Random World, 2005).
        count = int(np.ceil(coverage * (len(own) + 1) - 1e-9))
        thresholds[index] = own[min(count, len(own)) - 1]
    return np.where(np.isinf(thresholds), thresholds.min(), thresholds).astype(np.float32)
