"""Classifiers of the kind of photograph: of a skin lesion or not, with a dermatoscope or a smartphone.

Two logistic regressions on the backbone's features. They know only the kinds in their training data: healthy skin and
drawings of lesions may be accepted as lesions.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlmodel.network.head import Floats, opened


@dataclass(frozen=True)
class PhotographClassifier:
    """A logistic regression on the backbone's features.

    Attributes:
        weights: float32 (F,).
        bias: the intercept.
        threshold: in [0, 1]; a photograph with at least this probability is accepted.
    """

    weights: Floats
    bias: float
    threshold: float

    def probability(self, features: Floats) -> float:
        """Return the probability for features (F,), in [0, 1]."""
        logit = float(features @ self.weights) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))

    def accepts(self, features: Floats) -> bool:
        return self.probability(features) >= self.threshold

    @classmethod
    def load(cls, source: Path | bytes, name: str, *, threshold: float) -> "PhotographClassifier":
        """Return a classifier, ``in_domain`` or ``smartphone``, from the head's file or its content."""
        with np.load(opened(source), allow_pickle=False) as arrays:
            return cls(
                weights=arrays[f"{name}_weights"].astype(np.float32),
                bias=float(arrays[f"{name}_bias"]),
                threshold=threshold,
            )
