"""Detection of photographs that are already in the held-out test set, which must not be used for training."""

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats
from mlmodel.network.stages import FEATURE_COUNT, stage_slice
from mlmodel.retraining.base_set import Cases

# Late features of nevi of different people are almost identical; intermediate ones still distinguish photographs.
STAGE = "block8"
# To be chosen again for every new backbone. Of 7,933 photographs of other lesions, three reach this with one of the
# 1,983 test photographs. Those, saved again at JPEG quality 85, stay above 0.92, and if also scaled to three
# quarters, above it (the least of 150: 0.801).
ALIKE = 0.80
_DIRECTIONS = 64


def near_copies(features: npt.NDArray[np.float16], of: Cases, *, beside: Cases | None = None) -> npt.NDArray[np.bool_]:
    """Return a mask of the photographs that are copies or near copies of one of the cases, bool (N,).

    Photographs are compared by the cosine of their whitened intermediate features. Whitening keeps individual
    differences from being dominated by differences such as brightness.

    Args:
        features: float16 (N, F).
        of: usually the base set's held-out test set, whose features are rounded.
        beside: many ordinary photographs, from which the whitening is estimated; by default those of ``of``.
    """
    if not len(of) or not len(features):
        return np.zeros(len(features), dtype=np.bool_)
    own, reference, ordinary = _compared(features), _compared(of.features), _compared((beside or of).features)
    mean, deviation = ordinary.mean(axis=0), ordinary.std(axis=0)
    varies = deviation > 0
    scale = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0).astype(np.float32)
    own, reference, ordinary = ((values - mean) * scale for values in (own, reference, ordinary))
    if len(ordinary) >= 4 * _DIRECTIONS:
        variances, directions = np.linalg.eigh(ordinary.T @ ordinary / np.float32(len(ordinary)))
        strongest = variances > 1e-6 * variances[-1]
        strongest[:-_DIRECTIONS] = False
        whitening = directions[:, strongest] / np.sqrt(variances[strongest])
        own, reference = own @ whitening, reference @ whitening
    alike: npt.NDArray[np.bool_] = (_unit(own) @ _unit(reference).T).max(axis=1) >= ALIKE
    return alike


def _compared(features: npt.NDArray[np.float16]) -> Floats:
    place = stage_slice(STAGE) if features.shape[1] == FEATURE_COUNT else slice(None)
    return features[:, place].astype(np.float32)


def _unit(values: Floats) -> Floats:
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.float32(1e-12))
