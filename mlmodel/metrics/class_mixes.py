"""Which photographs an epoch shows, in which order: a function of the seed and the epoch alone, so runs can resume."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]


def log_priors(
    labels: Indices,
    possible: npt.NDArray[np.bool_],
    sources: Strings,
    *,
    sampling: str,
    unseen_share: float = 0.0,
) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Return the sources by name, and of each the logarithm of its class mix among what is drawn, (sources, classes).

    Photographs with a partial label count for the classes it leaves possible, in the proportion that those have among
    all exact labels. A class that a source never shows gets ``unseen_share``, and without one the share of less than
    one photograph: to call a melanoma there such a class then costs a network next to nothing, and it learns to.

    Args:
        labels: int64 (N,), as ``epoch_order`` takes them.
        possible: bool (N, classes).
        sources: str (N,).
        sampling: as ``epoch_order``.
        unseen_share: of each class that a source never shows, of its class mix.
    """
    exact = possible.sum(axis=1) == 1
    pooled = np.maximum(possible[exact].sum(axis=0), 1).astype(np.float64)
    names = np.unique(sources)
    priors = np.zeros((len(names), possible.shape[1]))
    for place, source in enumerate(names):
        rows = sources == source
        for label, share in enumerate(drawn_mix(labels[rows], sampling=sampling)):
            if share:
                spread = possible[rows & (labels == label)][0] * pooled
                priors[place] += share * spread / spread.sum()
        if unseen_share:
            is_seen = priors[place] > 0
            priors[place] *= 1.0 - unseen_share * (~is_seen).sum()
            priors[place][~is_seen] = unseen_share
        elif not priors[place].all():
            priors[place] += 1.0 / (rows.sum() + possible.shape[1])
            priors[place] /= priors[place].sum()
    return tuple(names.tolist()), np.log(priors)


def drawn_mix(labels: Indices, *, sampling: str) -> npt.NDArray[np.float64]:
    """Return the share of each class among what is drawn, float64 (classes,); the loss is adjusted to it."""
    counts = np.bincount(labels).astype(np.float64)
    weights = np.sqrt(counts) if sampling == "square-root" else counts
    return weights / weights.sum()
