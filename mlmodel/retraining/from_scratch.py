"""A head from nothing: for a class that the active head was never taught, and small steps would not reach."""

import numpy as np
import numpy.typing as npt

from mlmodel.network.head import Floats, Head
from mlmodel.retraining.base_set import BaseSet, Cases
from mlmodel.retraining.fitting import Recipe, in_half_precision
from mlmodel.taxonomy import CODES

# With fewer lesions of a class the head stays as it is: it would unlearn others for what chance looks like.
LEAST_OF_A_CLASS = 10
# Chosen on folds 0–6, with a backbone of folds 0–2 that had not seen two of the classes.
FROM_NOTHING = Recipe(epochs=14, rate=1e-3, pull=0.02, feature_dropout=0.5, dropout=0.5)
# Of the active head in what the two say together; 0 is the new one alone.
SHARES = (0.0, 0.5)
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


def beside(active: Head, anew: Head, *, share: float, untaught: npt.NDArray[np.int64]) -> Head:
    """Return one head that answers what both say, so that what the active one knows is not lost.

    Of a class that both know the logit is their weighted mean. Of one that only the new head knows, it lies as far
    from the mean of the others as the new head has it. All of this is linear in what the two hidden layers give, so
    the two lie side by side in one head.

    Args:
        active: the head that answers now.
        anew: one that reads the same features.
        share: of the active head in the mean, in [0, 1].
        untaught: the classes that only the new head knows, as indices.
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
