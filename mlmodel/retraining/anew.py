"""A head from nothing: for a class that the active head was never taught, and small steps would not reach."""

import numpy as np
import numpy.typing as npt

from mlmodel.head import Floats, Head
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.fitting import Recipe
from mlmodel.taxonomy import CODES

# With fewer lesions of a class the head stays as it is: it would unlearn others for what chance looks like.
LEAST_OF_A_CLASS = 10
# Chosen on folds 0–6, with a backbone of folds 0–2 that had not seen two of the classes.
FROM_NOTHING = Recipe(epochs=14, rate=1e-3, pull=0.02, feature_dropout=0.5, dropout=0.5)
_HIDDEN = 256
_LEAST_DEVIATION = 1e-3


def untaught(base: BaseSet, trained: Cases) -> npt.NDArray[np.int64]:
    """Return the classes that the base set has no case of and the new cases have enough of, as class indices."""
    lesions = np.array([len(np.unique(trained.lesions[trained.labels == index])) for index in range(len(CODES))])
    known = np.bincount(base.replay.labels, minlength=len(CODES)) > 0
    return np.flatnonzero(~known & (lesions >= LEAST_OF_A_CLASS))


def untrained_head(like: Head, cases: Cases, *, seed: int) -> Head:
    """Return a head of random weights, which reads the features that another one reads.

    Weights are drawn so that each layer keeps the scale of what it is given (He et al., ICCV 2015).

    Args:
        like: the head whose features are read.
        cases: what it will learn from; the deviation of their features sets the scale.
        seed: of all chance.
    """
    generator = np.random.default_rng(seed)
    is_read = np.abs(like.hidden_weights).sum(axis=1, keepdims=True) > 0
    deviation = np.maximum(cases.features.astype(np.float32).std(axis=0), _LEAST_DEVIATION)[:, None]
    drawn: Floats = generator.normal(0, np.sqrt(2 / is_read.sum()), (len(is_read), _HIDDEN)).astype(np.float32)
    return Head(
        hidden_weights=(drawn / deviation * is_read).astype(np.float32),
        hidden_bias=np.zeros(_HIDDEN, dtype=np.float32),
        output_weights=generator.normal(0, np.sqrt(1 / _HIDDEN), (_HIDDEN, len(CODES))).astype(np.float32),
        output_bias=np.zeros(len(CODES), dtype=np.float32),
    )
