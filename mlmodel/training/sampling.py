"""Sampling of the photographs of an epoch, which depends only on seed and epoch, so that runs can be resumed."""

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.class_mixes import Indices, Strings, drawn_mix

# The share of sharp copies in each class that has both kinds.
_SHARP_SHARE = 0.6


def epoch_order(
    labels: Indices,
    copies: Strings,
    sources: Strings | None = None,
    *,
    sampling: str,
    seed: int,
    epoch: int,
) -> Indices:
    """Return the rows of an epoch, int64 (N,), in order.

    Args:
        labels: int64 (N,), class indices, and numbers above them for partial labels.
        copies: str (N,), ``sharp`` or another value for a copy with less detail.
        sources: str (N,), each of which keeps its share of the epoch; None for a single one.
        sampling: ``every-image`` or ``square-root`` (see ``Recipe``).
        seed: the seed of the run.
        epoch: the number of the epoch over all phases.
    """
    generator = np.random.default_rng((seed, epoch))
    if sampling == "every-image":
        return generator.permutation(len(labels))
    sources = np.zeros(len(labels), dtype=np.str_) if sources is None else sources
    rows = []
    for source in np.unique(sources):
        of_source = sources == source
        for label, share in enumerate(drawn_mix(labels[of_source], sampling=sampling)):
            count = round(share * int(of_source.sum()))
            matches = of_source & (labels == label)
            sharp, soft = matches & (copies == "sharp"), matches & (copies != "sharp")
            sharp_count = count if not soft.any() else 0 if not sharp.any() else round(_SHARP_SHARE * count)
            rows += [_cycled(sharp, sharp_count, generator), _cycled(soft, count - sharp_count, generator)]
    return generator.permutation(np.concatenate(rows))


def implied_log_mix(labels: Indices, *, sampling: str, loss: str) -> npt.NDArray[np.float64]:
    """Return the log class priors included in trained logits, float64 (classes,), to subtract for equal priors.

    Plain cross-entropy learns the sampled class mix; the class-balanced and the logit-adjusted loss remove it.
    """
    log_mix = np.log(drawn_mix(labels, sampling=sampling))
    return log_mix if loss == "cross-entropy" else np.zeros_like(log_mix)


def _cycled(is_candidate: npt.NDArray[np.bool_], count: int, generator: np.random.Generator) -> Indices:
    """Return random rows, none of which is repeated before all have been drawn."""
    rows = np.flatnonzero(is_candidate)
    if count == 0:
        return rows[:0]
    rounds = [generator.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate(rounds)[:count]
