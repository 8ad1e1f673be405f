"""Is this a photograph of a skin lesion at all?

A logistic regression on the backbone's features, trained on dermatoscopic and smartphone photographs of lesions
against everyday photographs. It knows what it was shown: healthy skin and drawings of lesions may pass.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlmodel.head import Floats


@dataclass(frozen=True)
class InDomainJudge:
    """Attributes:
    weights: float32 (F,).
    bias: the intercept.
    threshold: in [0, 1]; below it a photograph is refused.
    """

    weights: Floats
    bias: float
    threshold: float

    def probability(self, features: Floats) -> float:
        """Return how probable it is that features (F,) come from a skin lesion, in [0, 1]."""
        logit = float(features @ self.weights) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))

    def accepts(self, features: Floats) -> bool:
        return self.probability(features) >= self.threshold

    @classmethod
    def load(cls, path: Path, *, threshold: float) -> "InDomainJudge":
        """Read the judge's weights from the head's file."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                weights=arrays["in_domain_weights"].astype(np.float32),
                bias=float(arrays["in_domain_bias"]),
                threshold=threshold,
            )
