"""Class priors of each source of photographs."""

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
    """Return the names of the sources, and the logarithms of their class priors after sampling, (sources, classes).

    Photographs with a partial label count for the classes that it allows, in proportion to the exact labels. A class
    that is absent from a source gets ``unseen_share``. Without it, the class gets the share of less than one
    photograph; predicting it there then costs almost nothing, so a network may learn to do so.

    Args:
        labels: int64 (N,), as for ``epoch_order``.
        possible: bool (N, classes).
        sources: str (N,).
        sampling: as for ``epoch_order``.
        unseen_share: the prior of each class that is absent from a source.
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
    """Return the share of each class after sampling, float64 (classes,)."""
    counts = np.bincount(labels).astype(np.float64)
    weights = np.sqrt(counts) if sampling == "square-root" else counts
    return weights / weights.sum()
