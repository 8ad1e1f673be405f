"""Photographs that are in the locked test already: a head trained on them would be judged on what it has learnt."""

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats
from mlmodel.network.stages import FEATURE_COUNT, stage_slice
from mlmodel.retraining.base_set import Cases

# The end of the network forgets which photograph it was: nevi of different people come out all but equal there. The
# middle still knows.
STAGE = "block8"
# Of 7,933 photographs of other lesions five reach this with one of the 1,983 locked ones; the locked ones themselves,
# saved again at JPEG quality 85, stay above 0.95, and scaled to three quarters besides above 0.86.
ALIKE = 0.85
_DIRECTIONS = 64


def near_copies(features: npt.NDArray[np.float16], of: Cases, *, beside: Cases | None = None) -> npt.NDArray[np.bool_]:
    """Return which photographs are, or are near copies of, one of the cases, bool (N,).

    Photographs are compared by the cosine of their middle features, whitened, so that what sets apart one photograph
    from another is not drowned by what sets apart light ones from dark ones.

    Args:
        features: float16 (N, F).
        of: usually the base set's locked test, whose features are rounded.
        beside: many ordinary photographs, which say what sets photographs apart; by default those of ``of``.
    """
    if not len(of) or not len(features):
        return np.zeros(len(features), dtype=np.bool_)
    own, known, ordinary = _compared(features), _compared(of.features), _compared((beside or of).features)
    mean, deviation = ordinary.mean(axis=0), ordinary.std(axis=0)
    is_telling = deviation > 0
    scale = np.where(is_telling, 1.0 / np.where(is_telling, deviation, 1.0), 0.0).astype(np.float32)
    own, known, ordinary = ((values - mean) * scale for values in (own, known, ordinary))
    if len(ordinary) >= 4 * _DIRECTIONS:
        variances, directions = np.linalg.eigh(ordinary.T @ ordinary / np.float32(len(ordinary)))
        strongest = variances > 1e-6 * variances[-1]
        strongest[:-_DIRECTIONS] = False
        whitening = directions[:, strongest] / np.sqrt(variances[strongest])
        own, known = own @ whitening, known @ whitening
    alike: npt.NDArray[np.bool_] = (_unit(own) @ _unit(known).T).max(axis=1) >= ALIKE
    return alike


def _compared(features: npt.NDArray[np.float16]) -> Floats:
    place = stage_slice(STAGE) if features.shape[1] == FEATURE_COUNT else slice(None)
    return features[:, place].astype(np.float32)


def _unit(values: Floats) -> Floats:
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.float32(1e-12))
