"""Heads trained from scratch, for classes that the active head was not trained on and fine-tuning cannot add."""

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats, Head
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.fitting import Recipe, in_half_precision
from mlmodel.taxonomy import CODES

# With fewer lesions of a class the head is not changed: it would lose others for what may be chance.
LEAST_OF_A_CLASS = 10
# Chosen on folds 0–6, with a backbone trained on folds 0–2 without two of the classes.
FROM_NOTHING = Recipe(epochs=14, rate=1e-3, pull=0.02, feature_dropout=0.5, dropout=0.5)
# Weights of the active head in the combination; 0 is the new head alone.
SHARES = (0.0, 0.5)
_HIDDEN = 256
_LEAST_DEVIATION = 1e-3


def untaught(base: BaseSet, trained: Cases) -> npt.NDArray[np.int64]:
    """Return the indices of classes without cases in the base set and with enough new cases."""
    lesions = np.array([len(np.unique(trained.lesions[trained.labels == index])) for index in range(len(CODES))])
    known = np.bincount(base.replay.labels, minlength=len(CODES)) > 0
    return np.flatnonzero(~known & (lesions >= LEAST_OF_A_CLASS))


def untrained_head(like: Head, cases: Cases, *, seed: int) -> Head:
    """Return a head with random weights that uses the same features as another head.

    The initialisation preserves the scale of each layer's input (He et al., ICCV 2015).

    Args:
        like: the head whose features are used.
        cases: the training cases; the deviation of their features sets the scale.
        seed: the random seed.
    """
    generator = np.random.default_rng(seed)
    is_read = np.abs(like.hidden_weights).sum(axis=1, keepdims=True) > 0
    deviation = np.maximum(cases.features.astype(np.float32).std(axis=0), _LEAST_DEVIATION)[:, None]
    weights: Floats = generator.normal(0, np.sqrt(2 / is_read.sum()), (len(is_read), _HIDDEN)).astype(np.float32)
    return Head(
        hidden_weights=(weights / deviation * is_read).astype(np.float32),
        hidden_bias=np.zeros(_HIDDEN, dtype=np.float32),
        output_weights=generator.normal(0, np.sqrt(1 / _HIDDEN), (_HIDDEN, len(CODES))).astype(np.float32),
        output_bias=np.zeros(len(CODES), dtype=np.float32),
    )


def beside(active: Head, anew: Head, *, share: float, untaught: npt.NDArray[np.int64]) -> Head:
    """Return one head that combines both, so that the active head's knowledge is not lost.

    For a class that both know, the logit is their weighted mean. For one that only the new head knows, its distance
    from the mean of the others is that in the new head. All of this is linear in the outputs of the two hidden layers,
    which are concatenated in one head.

    Args:
        active: the active head.
        anew: a new head that uses the same features.
        share: the weight of the active head in the mean, in [0, 1].
        untaught: indices of the classes that only the new head knows.
    """
    known = np.setdiff1d(np.arange(len(CODES)), untaught)
    layers = []
    for old, new in ((active.output_weights, anew.output_weights), (active.output_bias, anew.output_bias)):
        ours, theirs = share * old, (1 - share) * new
        ours[..., untaught] = share * old[..., known].mean(axis=-1, keepdims=True)
        theirs[..., untaught] = new[..., untaught] - share * new[..., known].mean(axis=-1, keepdims=True)
        layers.append((ours, theirs))
    (ours, theirs), (our_bias, their_bias) = layers
    return in_half_precision(
        Head(
            hidden_weights=np.concatenate([active.hidden_weights, anew.hidden_weights], axis=1),
            hidden_bias=np.concatenate([active.hidden_bias, anew.hidden_bias]),
            output_weights=np.concatenate([ours, theirs]),
            output_bias=our_bias + their_bias,
        )
    )
