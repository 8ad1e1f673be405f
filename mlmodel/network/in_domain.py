"""What kind of photograph is this: of a skin lesion at all, and through a dermatoscope or with a smartphone?

Two logistic regressions on the backbone's features. They know what they were shown: healthy skin and drawings of
lesions may pass for lesions.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlmodel.network.head import Floats, opened


@dataclass(frozen=True)
class PhotographJudge:
    """Attributes:
    weights: float32 (F,).
    bias: the intercept.
    threshold: in [0, 1]; from it on the answer is yes.
    """

    weights: Floats
    bias: float
    threshold: float

    def probability(self, features: Floats) -> float:
        """Return how probable a yes is for features (F,), in [0, 1]."""
        logit = float(features @ self.weights) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))

    def accepts(self, features: Floats) -> bool:
        return self.probability(features) >= self.threshold

    @classmethod
    def load(cls, source: Path | bytes, name: str, *, threshold: float) -> "PhotographJudge":
        """Read a judge from the head's file, or from what is in it: ``in_domain`` or ``smartphone``."""
        with np.load(opened(source), allow_pickle=False) as arrays:
            return cls(
                weights=arrays[f"{name}_weights"].astype(np.float32),
                bias=float(arrays[f"{name}_bias"]),
                threshold=threshold,
            )
